"""What S3 does that the emulator does not: the account's access block, ACLs in force, owners, sub-resources.

Source: Amazon S3 user guide, "Blocking public access to your Amazon S3 storage" (an ACL is answered as it is in force;
the strictest of the account's and the bucket's settings counts) and "Controlling ownership of objects and disabling
ACLs for your bucket"; Amazon S3 API reference, GetBucketPolicyStatus; `x-amz-expected-bucket-owner` of each operation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from ministack.services import s3

from local.accounts import is_somebody

Headers = dict[str, str]
Query = Mapping[str, Any]
Response = tuple[int, dict[str, str], Any]

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_EXPECTED_OWNER = "x-amz-expected-bucket-owner"
_IGNORE_ACLS = "IgnorePublicAcls"
_EVERYBODY = (s3._ACL_GROUP_ALL_USERS, s3._ACL_GROUP_AUTHENTICATED)
_GRANT_TO_EVERYBODY = re.compile(
    rf"<Grant>(?:(?!</Grant>).)*?<URI>(?:{'|'.join(map(re.escape, _EVERYBODY))})</URI>.*?</Grant>", re.DOTALL
)
_GRANTEE_ID = re.compile(r"<ID>([^<]+)</ID>")
# What the emulator answers with a listing of the bucket, whatever was asked.
_UNKNOWN = (
    "abac", "analytics", "intelligent-tiering", "inventory", "metadataConfiguration", "metadataTable", "metrics",
)  # fmt: skip

# The access block of each account, as it is in force; what the account itself or an organisation has set.
_of_accounts: dict[str, Mapping[str, bool]] = {}


def install() -> None:
    """Put Block Public Access of the account, ACLs in force and expected owners into the emulator's S3."""
    _block_by_the_account_too()
    _judge_web_identities()
    _answer_acls_in_force()
    _refuse_grants_to_nobody()
    _expect_owners()
    _answer_sub_resources()


def set_account_block(account: str, document: bytes | None) -> None:
    """Take note of an account's access block, as S3 Control answers it; None where there is none."""
    if document is None:
        _of_accounts.pop(account, None)
        return
    root = ET.fromstring(document)  # noqa: S314 -- moto's own answer, on this machine
    _of_accounts[account] = {one.tag.rpartition("}")[2]: (one.text or "").strip().lower() == "true" for one in root}


def _block_by_the_account_too() -> None:
    """Stock: only the bucket's own settings count. AWS: the account's as well, whichever is stricter."""
    blocked = s3._public_access_blocked

    def public_access_blocked(owner: str, bucket: str, setting: str) -> bool:
        return bool(_of_accounts.get(owner, {}).get(setting)) or bool(blocked(owner, bucket, setting))

    s3._public_access_blocked = public_access_blocked


def _judge_web_identities() -> None:
    """Stock: only AWS principals are public. AWS: so is whoever signs in with an identity provider of the web."""
    judge = s3._statement_is_public

    def statement_is_public(statement: dict[str, Any]) -> bool:
        principal = statement.get("Principal")
        federated = isinstance(principal, dict) and "Federated" in principal
        return bool(judge({**statement, "Principal": "*"} if federated else statement))

    s3._statement_is_public = statement_is_public


def _answer_acls_in_force() -> None:
    """Stock: the ACL as it was written. AWS: the one that is enforced; what is ignored is not shown."""
    get_acl = s3._get_bucket_acl

    def get_bucket_acl(name: str) -> Response:
        status, headers, body = get_acl(name)
        if name not in s3._buckets:
            return status, headers, body
        if s3._bucket_owner_enforced(s3._buckets[name]):
            return 200, {"Content-Type": "application/xml"}, s3._canned_acl_policy_xml("", s3._canonical_owner_id())
        if s3._public_access_blocked(s3.get_account_id(), name, _IGNORE_ACLS):
            text = body.decode() if isinstance(body, bytes) else body
            return status, headers, _GRANT_TO_EVERYBODY.sub("", text)
        return status, headers, body

    s3._get_bucket_acl = get_bucket_acl


def _refuse_grants_to_nobody() -> None:
    """Stock: any 64 digits are somebody's canonical id. AWS: those of an account that was closed are nobody's."""
    put_acl = s3._put_bucket_acl

    def put_bucket_acl(name: str, body: bytes, headers: Headers | None = None) -> Response:
        named = [*_GRANTEE_ID.findall(body.decode(errors="replace"))]
        named += [one for header in (headers or {}).values() for one in re.findall(r'id="?([0-9a-f]{64})', header)]
        if not all(map(is_somebody, named)):
            refusal: Response = s3._error("InvalidArgument", "Invalid id", 400)
            return refusal
        answer: Response = put_acl(name, body, headers)
        return answer

    s3._put_bucket_acl = put_bucket_acl


def _expect_owners() -> None:
    """Stock: who the caller thinks owns the bucket is not asked. AWS: another owner than that is a refusal."""
    apply_scope = s3._apply_bucket_scope

    def apply_bucket_scope(
        method: str,
        bucket: str,
        key: str,
        headers: Headers,
        query: Query,
        body: bytes = b"",
        internal: bool = False,  # noqa: FBT001, FBT002 -- the emulator's own signature
    ) -> Response | None:
        expected, owner = headers.get(_EXPECTED_OWNER), s3._bucket_owner_account(bucket)
        if expected and owner and expected != owner:
            refusal: Response = s3._error("AccessDenied", "Access Denied", 403, f"/{bucket}")
            return refusal
        answer: Response | None = apply_scope(method, bucket, key, headers, query, body, internal)
        return answer

    s3._apply_bucket_scope = apply_bucket_scope


def _answer_sub_resources() -> None:
    """Stock: what it does not know is answered with a listing, which boto3 reads as an empty answer."""
    dispatch = s3._dispatch

    def dispatch_known(
        method: str, bucket: str, key: str, headers: Headers, body: bytes, query: dict[str, Any]
    ) -> Response:
        if bucket and not key:
            if method == "GET" and "policyStatus" in query:
                return _policy_status(bucket)
            if method == "GET" and "requestPayment" in query:
                paid: Response = s3._get_bucket_request_payment(bucket)
                return paid
            if any(one in query for one in _UNKNOWN):
                words = "A header or query you provided implies functionality that is not implemented"
                refusal: Response = s3._error("NotImplemented", words, 501)
                return refusal
        answer: Response = dispatch(method, bucket, key, headers, body, query)
        return answer

    s3._dispatch = dispatch_known


def _policy_status(bucket: str) -> Response:
    status, headers, body = s3._get_bucket_policy(bucket)
    if status != 200:  # noqa: PLR2004 -- there is no policy, or no bucket
        return status, headers, body
    public = str(s3._policy_is_public(json.dumps(json.loads(body)))).lower()
    text = f'<PolicyStatus xmlns="{_NAMESPACE}"><IsPublic>{public}</IsPublic></PolicyStatus>'
    return 200, {"Content-Type": "application/xml"}, text.encode()

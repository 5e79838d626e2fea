"""Principals in trust and bucket policies that are nobody: refused when written, and shown by their id once deleted.

Stock: any text is a principal. AWS keeps the unique id of a user or role behind the ARN that was written, so that a
new one of the same name is somebody else; once it is gone the policy shows the id, and a document with such an id
cannot be written again.

Source: IAM user guide, "AWS JSON policy elements: Principal"; AWS knowledge center, "s3 invalid principal in policy
error" and "iam trust policy error".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import iam, s3

from local.accounts import is_open, is_somebody
from local.entities import STORES, spelled

_ACCOUNT = re.compile(r"\d{12}")
_OF_AN_ACCOUNT = re.compile(r"arn:aws:(iam|sts)::(\d{12}):(.+)")
_UNIQUE_ID = re.compile(r"A(IDA|ROA)[A-Z0-9]+")


def nobody(document: str) -> str | None:
    """The first principal of a document that does not exist, as it was written; None when all do.

    Only this account's users and roles are known one by one; of another account, only whether there is one.
    """
    read = _read(document)
    aws = (one for one in _named(read, "AWS") if not _exists(one))
    canonical = (one for one in _named(read, "CanonicalUser") if not is_somebody(one))
    return next(aws, None) or next(canonical, None)


def forget(arn: str, unique_id: str) -> None:
    """Show a deleted user or role by its id in every policy of the account that names it."""
    for role in list(iam._roles.values()):
        role["AssumeRolePolicyDocument"] = _without(role["AssumeRolePolicyDocument"], arn, unique_id)
    for bucket in list(s3._bucket_policies):
        s3._bucket_policies[bucket] = _without(s3._bucket_policies[bucket], arn, unique_id)


def install() -> None:
    """Refuse bucket policies that name nobody, and canonical ids of nobody in ACLs."""
    put_policy = s3._put_bucket_policy

    def put_bucket_policy(name: str, body: bytes) -> Any:  # noqa: ANN401
        if name in s3._buckets and nobody(body.decode(errors="replace")) is not None:
            return s3._error("MalformedPolicy", "Invalid principal in policy", 400, f"/{name}")
        return put_policy(name, body)

    s3._put_bucket_policy = put_bucket_policy


def _named(document: Mapping[str, Any], kind: str) -> Iterator[str]:
    for principal in _principals(document):
        named = principal.get(kind, []) if isinstance(principal, Mapping) else []
        yield from map(str, named if isinstance(named, list) else [named])


def _principals(document: Mapping[str, Any]) -> Iterator[Any]:
    statements = document.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        if isinstance(statement, Mapping):
            yield from (statement[key] for key in ("Principal", "NotPrincipal") if key in statement)


def _exists(principal: str) -> bool:
    if principal == "*":
        return True
    if _ACCOUNT.fullmatch(principal):
        return is_open(principal)
    if _UNIQUE_ID.fullmatch(principal):
        return _by_id(principal)
    found = _OF_AN_ACCOUNT.fullmatch(principal)
    if found is None:
        return principal.startswith("arn:aws:iam::cloudfront:")
    service, account, rest = found.groups()
    if not is_open(account):
        return False
    if account != get_account_id() or rest == "root" or service == "sts":
        return True
    kind, _, name = rest.partition("/")
    entity = spelled(kind, name.rpartition("/")[2]) if kind in {"role", "user"} else None
    return entity is not None and entity["Arn"] == principal


def _by_id(unique_id: str) -> bool:
    entities = [*STORES["user"].values(), *STORES["role"].values()]
    return any(unique_id in {one.get("UserId"), one.get("RoleId")} for one in entities)


def _without(document: str, arn: str, unique_id: str) -> str:
    if arn not in document:
        return document
    read = _read(document)
    for principal in _principals(read):
        if isinstance(principal, dict) and "AWS" in principal:
            principal["AWS"] = _replaced(principal["AWS"], arn, unique_id)
    return json.dumps(read)


def _replaced(named: Any, arn: str, unique_id: str) -> Any:  # noqa: ANN401
    if isinstance(named, list):
        return [unique_id if one == arn else one for one in named]
    return unique_id if named == arn else named


def _read(document: str) -> dict[str, Any]:
    try:
        read = json.loads(document)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}

"""AWS through one factory: every client is made here, for a named account and region.

botocore and each client are loaded when they are first needed: a quiet wake pays for no client it does not use. What
is made is kept for as long as the process lives: one client for each account, region, service and role.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock
from types import MappingProxyType
from typing import Any, Protocol

from plumbline.adapters.models import Models, twin_of
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal

#: A whole react has less than a minute; one answer must not take most of it.
_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 3, 10, 4
#: Who sweeps has minutes, and many reads in flight. Where AWS throttles, each of them waits at random, twice as
#: long each time, half a minute in all at most; and all that share the client go slower together, for that is what
#: botocore's adaptive mode is: a rate for the client, cut when AWS throttles, and raised slowly while it does not. AWS
#: says no time to wait. Source: AWS SDKs and Tools reference guide, Retry behavior.
PATIENT = 6
#: A role assumed by a role lasts an hour at most, any role a quarter of one at least.
_CHAINED_SECONDS, _SHORTEST_SECONDS = 3600, 900
_RENEWED_BEFORE = timedelta(minutes=5)
#: Only these have pages. Asking botocore about every other operation would load its paginators for nothing.
_HAVE_PAGES = ("Describe", "Get", "List", "Lookup", "Query")
#: Lists with pages for which botocore has no paginator, as it would describe them.
#: Source: IAM API reference, ListServiceSpecificCredentials: Marker and IsTruncated.
PAGED_BY_HAND: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "ListServiceSpecificCredentials": {
            "input_token": "Marker",
            "limit_key": "MaxItems",
            "more_results": "IsTruncated",
            "output_token": "Marker",
            "result_key": "ServiceSpecificCredentials",
        }
    }
)
#: What AWS answers to a token of a page that it does not know any more: it lasts for minutes, or until AWS forgets it.
#: IAM and S3 say only that the parameter is wrong, and name it. Sources: each service's API reference.
_STALE_PAGE = re.compile(r"Invalid(Continuation|Next|Pagination)?Token|ExpiredNextToken|InvalidMarker|Pagination")
_WRONG, _OF_A_PAGE = re.compile(r"Validation|^Invalid"), re.compile(r"\b(marker|token)\b", re.IGNORECASE)
#: What may be asked again whatever became of the first time.
_READS = (*_HAVE_PAGES, "BatchGet", "Head", "AssumeRole")
#: Connections to one host at a time.
IN_FLIGHT = 16
_OWN_KEYS: Mapping[str, str] = MappingProxyType({})
#: Bucket names are one world's: one that its account gave up may be a stranger's the next minute. S3 refuses a call
#: that names another owner than the bucket has. Source: Amazon S3 user guide, Verifying bucket ownership.
_OWNER = "ExpectedBucketOwner"
#: Parts of an error of S3 that name what is wrong in the call; its code and message do not.
_NAMES_THE_PART = ("Detail", "ArgumentName", "ArgumentValue")


class ClientFactory(Protocol):
    """Makes botocore clients. The one thing to replace in order to run Plumbline anywhere else."""

    def __call__(
        self, account: str, region: str, service: str, role: str = "", policy: str = "", session: str = "", /
    ) -> Any:  # noqa: ANN401 - botocore's clients have no static type
        """A client.

        Args:
            account: the account it works in.
            region: the region it works in.
            service: botocore's service name.
            role: ARN of a role to assume first; empty for the process's own credentials.
            policy: inline session policy for that role, as JSON.
            session: the role session's name.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Clients:
    """The factory the functions use: one client for each account, region, service and role.

    Sessions of the eyes role are kept for an hour and renewed; those of hands, limited to one target, never are.

    Attributes:
        region: where STS is asked (its regional endpoint).
        clock: the time, in UTC, by which sessions are renewed.
        models: makes botocore's clients.
        attempts: how often a call is made at most, where AWS throttles or does not answer.
    """

    region: str
    clock: Callable[[], datetime]
    models: Models = field(default_factory=Models)
    attempts: int = _ATTEMPTS
    _made: dict[tuple[str, ...], Any] = field(default_factory=dict, repr=False)
    _roles: dict[str, _RoleKeys] = field(default_factory=dict, repr=False)
    #: Clients may be used by many threads, and made by one.
    _one_at_a_time: RLock = field(default_factory=RLock, repr=False)

    def __call__(  # noqa: D102 -- see ClientFactory
        self, account: str, region: str, service: str, role: str = "", policy: str = "", session: str = "", /
    ) -> Any:  # noqa: ANN401
        with self._one_at_a_time:
            if policy:
                return self._client(region, service, self._assume(role, session, _SHORTEST_SECONDS, Policy=policy).keys)
            keys = self._remembered(role, session).keys if role else _OWN_KEYS
            key = (account, region, service, role)
            made_with, client = self._made.get(key, (None, None))
            if client is None or made_with is not keys:
                client = self._client(region, service, keys)
                self._made[key] = (keys, client)
            return client

    def _remembered(self, role: str, session: str) -> _RoleKeys:
        known = self._roles.get(role)
        if known is None or known.until - self.clock() < _RENEWED_BEFORE:
            known = self._roles[role] = self._assume(role, session, _CHAINED_SECONDS)
        return known

    def _assume(self, role: str, session: str, seconds: int, **limits: str) -> _RoleKeys:
        parameters = {"RoleArn": role, "RoleSessionName": session, "DurationSeconds": seconds, **limits}
        got = perform(self("", self.region, "sts"), Call("sts", "AssumeRole", parameters))["Credentials"]
        return _RoleKeys(
            until=got["Expiration"],
            keys={
                "aws_access_key_id": got["AccessKeyId"],
                "aws_secret_access_key": got["SecretAccessKey"],
                "aws_session_token": got["SessionToken"],
            },
        )

    def _client(self, region: str, service: str, keys: Mapping[str, str]) -> Any:  # noqa: ANN401 -- see ClientFactory
        from botocore.config import Config  # half of a cold start; a wake that is refused early does not pay it

        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "adaptive", "total_max_attempts": self.attempts},
            max_pool_connections=IN_FLIGHT,
            # With the bucket in the host's name every bucket needs a connection of its own, which costs three to
            # fifteen times the call. S3 takes both in every region: S3 User Guide, "Virtual hosting of buckets".
            s3={"addressing_style": "path"},
            user_agent_extra="plumbline",
        )
        return self.models.client(service, region_name=region, config=config, **keys)


@dataclass(frozen=True, slots=True)
class _RoleKeys:
    """Credentials of an assumed role, as botocore's create_client takes them."""

    until: datetime
    keys: Mapping[str, str] = field(repr=False)


@contextmanager
def telling(call: Call) -> Iterator[None]:
    """What botocore refuses before it asks AWS (no such region, no credentials) is told like AWS's own refusals."""
    from botocore.exceptions import BotoCoreError

    try:
        yield
    except BotoCoreError as error:
        raise AwsRefusal(type(error).__name__, str(error), call) from error


def perform(client: Any, call: Call, account: str = "", *, to_the_end: bool = True) -> Any:  # noqa: ANN401
    """Perform a call; a list is read to its last page.

    Args:
        client: of the call's service.
        call: what to ask or write.
        account: whose bucket a call about one means; S3 is told, and refuses where it is another's.
        to_the_end: False for one page of a list, which says where the next begins.

    Raises:
        AwsRefusal: AWS answered with an error that `call.absent` does not list, or did not answer.
    """
    from botocore import xform_name
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    method = xform_name(call.operation)
    client = twin_of(client) or client
    if not hasattr(client, method):
        client = twin_of(client, f"{call.operation} is not in it") or client
    if not hasattr(client, method):  # the SDK at hand is older than the call; nobody has asked AWS
        raise AwsRefusal("UnknownOperation", f"this SDK knows no {call.operation} of {call.service}", call)
    try:
        with telling(call):
            try:
                answer = _ask(client, method, call, account, to_the_end=to_the_end)
            except (ClientError, HTTPClientError):
                raise
            except Exception as error:
                # Nothing AWS said, so perhaps the models; what botocore itself refuses has not been sent.
                twin = twin_of(client, error)
                if twin is None or not (isinstance(error, BotoCoreError) or call.operation.startswith(_READS)):
                    raise
                answer = _ask(twin, method, call, account, to_the_end=to_the_end)
    except ClientError as error:
        said = error.response.get("Error", {})
        code = said.get("Code", "Unknown")
        if code in call.absent:
            return None
        about = " ".join(str(said[name]) for name in _NAMES_THE_PART if said.get(name))
        raise AwsRefusal(code, said.get("Message", ""), call, about) from error
    answer.pop("ResponseMetadata", None)
    if hasattr(answer.get("Body"), "read"):
        answer["Body"] = answer["Body"].read()
    return answer


def _ask(client: Any, method: str, call: Call, account: str, *, to_the_end: bool) -> Any:  # noqa: ANN401
    parameters = {**call.parameters, **_owner(client, call, account)}
    if not to_the_end:
        return getattr(client, method)(**parameters)
    if call.operation in PAGED_BY_HAND:
        from botocore.paginate import Paginator

        model = client.meta.service_model.operation_model(call.operation)
        return _list(Paginator(getattr(client, method), PAGED_BY_HAND[call.operation], model), parameters)
    if call.operation.startswith(_HAVE_PAGES) and client.can_paginate(method):
        return _list(client.get_paginator(method), parameters)
    return getattr(client, method)(**parameters)


def _list(paginator: Any, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """A list to its last page; begun anew, once, where AWS has forgotten the token of a page in the middle of it."""
    from botocore.exceptions import ClientError

    try:
        return paginator.paginate(**parameters).build_full_result()
    except ClientError as error:
        said = error.response.get("Error", {})
        code, message = said.get("Code", ""), said.get("Message", "")
        if not (_STALE_PAGE.search(code) or (_WRONG.search(code) and _OF_A_PAGE.search(message))):
            raise
    return paginator.paginate(**parameters).build_full_result()


def _owner(client: Any, call: Call, account: str) -> Mapping[str, str]:  # noqa: ANN401
    """What says whose bucket a call is about, where it is about one and the operation can be told."""
    if call.service != "s3" or not account or "Bucket" not in call.parameters:
        return {}
    can_be_told = client.meta.service_model.operation_model(call.operation).input_shape.members
    return {_OWNER: account} if _OWNER in can_be_told else {}

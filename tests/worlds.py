"""What makes moto's accounts cheap: read once what every one of them reads, and keep an account as it was left.

Nothing here changes what moto answers. `kept` takes copies of all that moto has in its accounts, and `bring_back` puts
copies of those copies where they were, so that what is done to one is not done to another.
"""

from __future__ import annotations

import copyreg
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, cached_property
from threading import Lock, RLock
from typing import Any
from unittest import mock

import botocore.useragent
import moto.core.models
import moto.core.responses
from botocore.auth import SigV4Auth
from botocore.loaders import JSONFileLoader
from moto.core.base_backend import BackendDict, BaseBackend
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy, iam_backends

#: Where an account keeps how many hold a policy of AWS's own.
_HELD_BY = "held_by"
#: AWS's own policies: what they say is one for all accounts, and never written.
_policies: list[ManagedPolicy] = []


@cache
def install() -> None:
    """Let this process's moto read and make once what it reads and makes anew for every account and every request."""
    # A thousand images and their snapshots for each region that is looked into; no control looks at moto's own.
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    JSONFileLoader.load_file = staticmethod(_read_once())
    IAMBackend._init_aws_policies = _shared_policies(IAMBackend._init_aws_policies)
    botocore.useragent.sanitize_user_agent_string_component = cache(
        botocore.useragent.sanitize_user_agent_string_component
    )
    moto.core.responses.method_names_from_class = cache(moto.core.responses.method_names_from_class)
    BackendDict.reset = classmethod(_forget)
    _listen_once()
    for lock in (Lock, RLock):  # a copy has locks of its own
        copyreg.pickle(type(lock()), lambda _, made=lock: (made, ()))  # type: ignore[misc]


@contextmanager
def unsigned() -> Iterator[None]:
    """Sign requests with nothing: moto reads who signed, and not what."""
    with (
        mock.patch.object(SigV4Auth, "canonical_request", return_value=""),
        mock.patch.object(SigV4Auth, "signature", return_value="0" * 64),
    ):
        yield


def _read_once() -> Any:
    read = cache(JSONFileLoader().load_file)

    def load_file(path: str) -> Any:
        data = read(path)
        # moto writes into what it has read of a service, and others read the same
        return {**data, "metadata": {**data["metadata"]}} if data and "metadata" in data else data

    return load_file


def _shared_policies(load: Any) -> Any:
    """AWS's 1,500 managed policies, which moto loads for each of twelve partitions; no test leaves the first."""

    def init_aws_policies(backend: IAMBackend) -> list[ManagedPolicy]:
        if backend.region_name != "aws":
            return []
        if not _policies:
            _policies.extend(load(backend))
            arn = cached_property(AWSManagedPolicy.arn.fget)
            arn.__set_name__(AWSManagedPolicy, "arn")
            AWSManagedPolicy.arn = arn
            AWSManagedPolicy.attachment_count = property(_held_by, _hold)
            # There is one of each; moto compares their ARNs, all of them with all of them.
            AWSManagedPolicy.__eq__, AWSManagedPolicy.__hash__ = object.__eq__, object.__hash__
        return list(_policies)

    return init_aws_policies


def _held_by(policy: AWSManagedPolicy) -> int:
    return int(_counts(policy).get(policy.name, 0))


def _hold(policy: AWSManagedPolicy, count: int) -> None:
    _counts(policy)[policy.name] = count


def _counts(policy: AWSManagedPolicy) -> dict[str, int]:
    counts: dict[str, int] = iam_backends[policy.account_id]["aws"].__dict__.setdefault(_HELD_BY, {})
    return counts


def _listen_once() -> None:
    """What catches requests that boto3 does not make is the same for every account."""
    enable = moto.core.models.MockAWS._enable_patching
    moto.core.models.reset_responses_mock = lambda _mock: None

    def enable_patching(mock: Any, reset: bool = True) -> None:  # noqa: FBT001, FBT002 - as moto calls it
        enable(mock, reset)
        moto.core.models.RESPONSES_METHODS = []

    moto.core.models.MockAWS._enable_patching = enable_patching


def _forget(_: type[BackendDict] | None = None) -> None:
    """Moto makes each backend anew before it forgets it; here only those that have something to close are asked."""
    for one in BackendDict._instances:
        for of_account in one.values():
            for backend in of_account.values():
                if type(backend).reset is not BaseBackend.reset:
                    backend.reset()
        one.clear()
    BackendDict._instances.clear()


@dataclass(frozen=True)
class Kept:
    """All of moto's accounts as they were, by service, and what else was to be kept beside them."""

    services: Sequence[tuple[Any, dict[str, Any], dict[str, Any]]]
    beside: Any


def kept(beside: Any = None) -> Kept:
    """Copies of all that moto has now, and of what is given."""
    return _copied(Kept([(one, dict(one.items()), vars(one)) for one in BackendDict._instances], beside))


def bring_back(before: Kept) -> Any:
    """Make moto's accounts what they were; what was kept beside them."""
    _forget()
    again = _copied(before)
    for service, accounts, more in again.services:
        service.update(accounts)
        vars(service).update(more)
        BackendDict._instances.append(service)
    return again.beside


def _copied(one: Kept) -> Kept:
    shared = [*_policies, *(service for service, _, _ in one.services)]
    return deepcopy(one, {id(each): each for each in shared})

"""Credentials of users for single services: of one user, or of all, which is one list for each of these services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from plumbline.controls.iam._principals import GONE
from plumbline.core.calls import Ask, Call

#: The services that have such credentials. Those of all users are listed by service.
#: Source: IAM user guide, API keys for AWS services; Use IAM with CodeCommit; Use IAM with Amazon Keyspaces.
_SERVICES = ("bedrock.amazonaws.com", "cassandra.amazonaws.com", "codecommit.amazonaws.com", "logs.amazonaws.com")
#: In partitions and accounts that do not have the service.
_NOT_THERE = ("NotSupportedService", "ServiceNotSupportedException")


def of_user(ask: Ask, user: str) -> Sequence[Mapping[str, str]]:
    """A user's credentials, as IAM lists them; none where he is gone."""
    return _listed(ask, {"UserName": user})


def of_all_users(ask: Ask) -> Sequence[Mapping[str, str]]:
    """Every user's: four reads, however many users there are.

    Source: IAM API reference, ListServiceSpecificCredentials: `AllUsers` with `ServiceName`.
    """
    return [one for service in _SERVICES for one in _listed(ask, {"AllUsers": True, "ServiceName": service})]


def users_with_active_ones(ask: Ask) -> frozenset[str]:
    """The names of all users who have an active one: for `Ask.once`."""
    return frozenset(one["UserName"] for one in of_all_users(ask) if is_active(one))


def is_active(one: Mapping[str, str]) -> bool:
    """Whether a credential can be used."""
    return one.get("Status") == "Active"


def _listed(ask: Ask, whose: Mapping[str, object]) -> list[Mapping[str, str]]:
    answer = ask(Call("iam", "ListServiceSpecificCredentials", whose, absent=(*GONE, *_NOT_THERE)))
    return list(answer["ServiceSpecificCredentials"]) if answer else []

"""AWS's own policies: what is told of those who hold one, exactly. Each is argued in `aws_managed`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache

from moto.iam.aws_managed_policies import aws_managed_policies_data

from plumbline.rights.account import Account, Principal
from plumbline.rights.asked import Asked
from plumbline.rights.documents import Document
from plumbline.rights.paths import PATHS
from plumbline.rights.ways import Judge
from tests.rights.accounts import account, user
from tests.rights.aws_managed import ARGUMENTS, FLAGGED
from tests.rights.test_ways import ADMINS, ANN, BOB, DISTANT, EXECUTION, HUMAN, STACKS, STRONG, TEAM, WEAK

#: An account in which every path leads somewhere.
FULL = account(*STRONG, HUMAN, EXECUTION, STACKS, WEAK, DISTANT, ANN, BOB, ADMINS, TEAM)


@cache
def managed() -> Mapping[str, Document]:
    """AWS's policies by path and name, without those of service-linked roles, which nobody else can hold."""
    known = json.loads(aws_managed_policies_data)
    return {
        f"{one['Path']}{name}".lstrip("/"): one["Document"]
        for name, one in known.items()
        if not one["Path"].startswith("/aws-service-role/")
    }


def _holder(name: str) -> Principal:
    return user("me", managed()[name], sources=(f"arn:aws:iam::aws:policy/{name}",))


def found(where: Account = FULL) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The policies that open a way, with the kind of argument and the paths."""
    judge, told = Judge(where), {}
    for name in managed():
        ways = judge.ways(_holder(name))
        direct = tuple(dict.fromkeys(way.path for way in ways if way.direct))
        if ways:
            paths = direct or tuple(dict.fromkeys(way.path for way in ways))
            told[name] = ("direct" if direct else _limits(judge, name, paths), paths)
    return told


def _limits(judge: Judge, name: str, paths: tuple[str, ...]) -> str:
    """Whether one of the paths is open for things of any name."""
    asked = Asked(judge.known, _holder(name))
    open_ = (
        all(asked.anywhere(action) for action in path.actions if action not in {"iam:PassRole", "sts:AssumeRole"})
        for path in PATHS
        if path.id in paths and not path.direct
    )
    return "anywhere" if any(open_) else "by name"


def test_what_is_told_of_aws_own_policies_is_exactly_what_is_argued() -> None:
    assert found() == FLAGGED


def test_every_argument_is_written_down_and_used() -> None:
    assert {why for why, _ in FLAGGED.values()} == set(ARGUMENTS)


def test_where_nothing_is_strong_only_those_who_rewrite_themselves_are_told_of() -> None:
    lone = {name: told for name, told in found(account(BOB, TEAM)).items() if told[0] == "direct"}
    assert lone.keys() == {name for name, (why, _) in FLAGGED.items() if why == "direct"}


def test_few_of_them_may_be_told_in_vain() -> None:
    counted = Counter(why for why, _ in FLAGGED.values())
    assert counted["by name"] <= len(managed()) * 0.06, counted

"""What it costs to judge effective rights: an account of 5,000 principals, and every one of AWS's own policies.

    .venv/dev/bin/python -m bench.rights

CPU seconds of one process, without AWS: what a sweep adds to the bulk read that every control of IAM shares.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from plumbline.controls.iam._weighed import weighed
from plumbline.rights.account import Account, Principal
from plumbline.rights.effective import Memo, may
from plumbline.rights.ways import Judge
from tests.rights.accounts import account, allow, group, joined, role, trusting, user
from tests.rights.aws_managed import FLAGGED
from tests.rights.test_aws_managed import managed
from tests.rights.test_ways import STRONG

GOAL = 5.0
_SEED = 9
_SERVICES = ("lambda.amazonaws.com", "ec2.amazonaws.com", "ecs-tasks.amazonaws.com")
_AWS = "arn:aws:iam::aws:policy/"


def drawn(principals: int, chance: random.Random) -> Account:
    """An account with a strong role for each service, and principals with AWS's policies and documents of their own."""
    common = chance.sample(sorted(managed()), 150)

    def holding(make: Callable[..., Principal], name: str, most: int, **more: Any) -> Principal:
        names = chance.sample(common, chance.randint(0, most))
        own = allow("s3:GetObject", "dynamodb:*", on=f"arn:aws:s3:::{name}/*")
        sources = (*(f"{_AWS}{one}" for one in names), "inline own")
        return make(name, *(managed()[one] for one in names), own, sources=sources, **more)

    groups = [holding(group, f"group-{one}", 2) for one in range(30)]
    half = (principals - len(groups) - len(STRONG)) // 2
    roles = [holding(role, f"role-{one}", 4, trust=trusting(Service=chance.choice(_SERVICES))) for one in range(half)]
    users = [
        joined(holding(user, f"user-{one}", 2), *chance.sample(groups, chance.randint(0, 2)))
        for one in range(principals - half - len(groups) - len(STRONG))
    ]
    return account(*STRONG, *groups, *roles, *users)


def verdicts(known: Account) -> float:
    """How many questions of `may` are answered in a second of CPU."""
    memo, asked = Memo(), 0
    start = time.process_time()
    for one in known.principals.values():
        for strong in STRONG:
            may(one, "iam:PassRole", strong.arn, {"iam:PassedToService": _SERVICES[0]}, memo=memo)
            asked += 1
    return asked / (time.process_time() - start)


def swept(known: Account) -> tuple[float, int]:
    """Milliseconds of CPU for each principal of a sweep, and how many have a way."""
    start, judge = time.process_time(), Judge(known)
    those: Sequence[Principal] = tuple(known.principals.values())
    led = sum(bool(one.ways or one.inline or one.attached) for one in (weighed(judge, each) for each in those))
    return (time.process_time() - start) * 1000 / len(those), led


def main() -> None:
    """Measures, and prints one table."""
    known = drawn(5000, random.Random(_SEED))  # noqa: S311 - an account to measure, no secret
    each, led = swept(known)
    told = Counter(why for why, _ in FLAGGED.values())
    print(f"verdicts a second of CPU                 {verdicts(known):12,.0f}")
    print(f"principals in the account                {len(known.principals):12,}")
    print(f"  of these administrators, or with a way {led:12,}")
    print(f"ms of CPU for each, whole sweep          {each:12.2f}   goal {GOAL:g}{'' if each <= GOAL else '  MISSED'}")
    print(f"AWS's own policies                       {len(managed()):12,}")
    print(f"  told of: direct                        {told['direct']:12,}")
    print(f"  told of: things of any name            {told['anywhere']:12,}")
    print(f"  told of: things of certain names       {told['by name']:12,}")


if __name__ == "__main__":
    main()

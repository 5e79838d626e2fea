"""What a look at a whole account remembers: what it still needs, so that nothing is asked twice, and no more."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from plumbline.baseline.rules import Baseline, Rule
from plumbline.compose import Plumbline
from plumbline.controls import registry
from plumbline.core.calls import Ask, Call
from tests.fakes import NOW, House
from tests.story import ACCOUNT, World, defaults, signs_in, world

IAM = Call("iam", "ListUsers", {"MaxItems": 1000})
S3 = Call("s3", "ListBuckets")
ANALYZERS = Call("accessanalyzer", "ListAnalyzers", {"type": "ACCOUNT"})


def _made(ask: Ask) -> object:
    ask(IAM)
    return object()


def test_what_is_forgotten_is_asked_again_and_nothing_else() -> None:
    """Services as IAM calls them: `accessanalyzer` is `access-analyzer` there."""
    with world() as here:
        eyes = here.accounts.eyes(ACCOUNT, "us-east-1")
        for services, again in (
            ({"iam", "s3", "access-analyzer"}, []),
            ({"s3", "access-analyzer"}, ["ListUsers"]),
            ({"iam", "s3"}, ["ListAnalyzers"]),
        ):
            for call in (IAM, S3, ANALYZERS):
                eyes(call)
            here.calls.clear()
            eyes.remember(services)
            for call in (IAM, S3, ANALYZERS):
                eyes(call)
            assert again == [one.operation for one in here.calls]


def test_what_is_made_of_answers_is_made_once_and_forgotten_with_them() -> None:
    with world() as here:
        eyes = here.accounts.eyes(ACCOUNT, "us-east-1")
        first = eyes.once(_made)
        assert eyes.once(_made) is first
        eyes.remember({"iam"})
        assert eyes.once(_made) is first
        eyes.remember({"s3"})
        assert eyes.once(_made) is not first


def _whole(here: World) -> Plumbline:
    """Every control, as its file has it, over a ledger that knows nothing yet."""
    controls = registry.load()
    rules = {name: Rule(one.response, one.clocks, defaults(one)) for name, one in controls.items()}
    house = House(home=here.home)
    engine = replace(house.engine, controls=controls, baseline=Baseline(rules), aws=here.accounts)
    return replace(house.plumbline, engine=engine, account=ACCOUNT, index=registry.index())


def test_a_sweep_asks_nothing_twice_though_it_forgets() -> None:
    """What AWS refuses is no answer, and is asked by each who wants it: here it refuses nothing."""
    with world() as here:
        for name in ("ann", "bob"):
            here.client("iam").create_user(UserName=name)
            here.client("iam").create_access_key(UserName=name)
            signs_in(here.client("iam"), name)
            here.client("s3").create_bucket(Bucket=f"acme-{name}")
        here.client("iam").attach_user_policy(UserName="ann", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        here.client("iam").generate_credential_report()
        block = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        here.client("s3control").put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=block)
        here.calls.clear()
        plumbline = _whole(here)
        for unit in plumbline.units():
            before = Counter(one.key for one in here.calls)
            looks = list(plumbline.look(unit, now=NOW))
            asked = Counter(one.key for one in here.calls) - before
            assert sorted(look.control for look in looks) == sorted(unit.controls)
            assert not [key for key, times in asked.items() if times > 1], unit

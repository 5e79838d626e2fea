"""The ways to administrator rights: each published path is found where it leads somewhere, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plumbline.rights.account import Account, Policy, Principal, Running
from plumbline.rights.documents import Document
from plumbline.rights.lead import Lead, Path
from plumbline.rights.paths import ACTIONS, PATHS
from plumbline.rights.ways import Judge, Way, ways
from tests.rights.accounts import ADMIN, NUMBER, account, allow, arn, deny, group, joined, role, trusting, user

READ = allow("s3:GetObject")
POLICY = arn("policy", "own")
ROOT = f"arn:aws:iam::{NUMBER}:root"
#: Source: pathfinding.cloud as of 2026, by id.
_NUMBERS = {
    "apprunner": (1, 2),
    "bedrock": (1, 2),
    "cloudformation": (1, 2, 3, 4, 5),
    "codebuild": (1, 2, 3, 4),
    "datapipeline": (1,),
    "ec2": (1, 2, 3, 4),
    "ec2instanceconnect": (3,),
    "ecs": (1, 2, 3, 4, 5),
    "glue": (1, 2, 3, 4, 5, 6),
    "iam": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21),
    "lambda": (1, 2, 3, 4, 5, 6),
    "sagemaker": (1, 2, 3, 4, 5),
    "ssm": (1, 2),
    "sts": (1,),
}
PUBLISHED = frozenset(f"{family}-{number:03}" for family, numbers in _NUMBERS.items() for number in numbers)
SERVICES = sorted({path.services[0] for path in PATHS if path.services})
#: What each kind of path leads through, and where its calls are asked on that thing alone.
STRONG = tuple(role(f"strong-{name}", ADMIN, trust=trusting(Service=name)) for name in SERVICES)
HUMAN = role("human", ADMIN, trust=trusting(AWS=ROOT))
EXECUTION = role("execution", ADMIN, trust=trusting(AWS=arn("role", "stacks")))
STACKS = role("stacks", allow("sts:AssumeRole"), trust=trusting(Service="cloudformation.amazonaws.com"))
WEAK = role("weak", READ, trust=trusting(AWS=ROOT), sources=(POLICY,))
DISTANT = role("distant", READ, trust=trusting(Service="ec2.amazonaws.com"), sources=(POLICY,))
ANN, BOB = user("ann", ADMIN), user("bob", READ)
ADMINS, TEAM = group("admins", ADMIN), group("team", READ)


def _account(me: Principal) -> Account:
    those = (*STRONG, HUMAN, EXECUTION, STACKS, WEAK, DISTANT, ANN, BOB, ADMINS, TEAM, me)
    return account(*those, policies={POLICY: Policy(POLICY, READ, {"v1": ADMIN})})


def _holder(path: Path, *, without: str = "") -> Principal:
    """Whoever has the rights of a path, each on what it is about and on nothing else."""
    documents: list[Document] = [allow(one, on=_reach(path, one)) for one in path.actions if one != without]
    if path.lead is Lead.ITSELF and "Role" in path.actions[0]:
        return role("me", *documents)
    if path.lead in {Lead.OWN_POLICY, Lead.OWN_VERSION}:
        return user("me", READ, *documents, sources=(POLICY, *(f"inline {one}" for one in path.actions)))
    me = user("me", *documents)
    return joined(me, TEAM) if path.lead is Lead.OWN_GROUP else me


def _reach(path: Path, action: str) -> str:
    """The resource that an action is about on a path, as narrow as can be."""
    exact = {
        Lead.ITSELF: arn("role" if "Role" in path.actions[0] else "user", "me"),
        Lead.OWN_GROUP: TEAM.arn,
        Lead.GROUP: ADMINS.arn,
        Lead.NEW_USER: arn("user", "new-*"),
        Lead.NEW_ROLE: arn("role", "new-*"),
        Lead.USER: ANN.arn,
        Lead.ROLE: HUMAN.arn,
        Lead.ASSUMED: HUMAN.arn,
        Lead.OTHER_USER: BOB.arn,
        Lead.TRUSTING_ROLE: WEAK.arn,
        Lead.TRUSTING_POLICY: WEAK.arn,
        Lead.OTHER_ROLE: DISTANT.arn,
        Lead.OTHER_POLICY: DISTANT.arn,
        Lead.STACK_SET: STACKS.arn,
    }
    if "PolicyVersion" in action:
        return POLICY if path.lead is not Lead.EVERY else "*"
    if action == "iam:PassRole" and path.lead is Lead.PASSED:
        return arn("role", f"strong-{path.services[0]}")
    return exact.get(path.lead, "*") if action.startswith(("iam:", "sts:")) else "*"


def _named(path: Path) -> str:
    return f"{path.id} {path.lead.name.lower()}"


def _found(path: Path, me: Principal, where: Account) -> list[Way]:
    return [way for way in ways(where, me) if way.path == path.id and way.direct == path.direct]


EVERY_PATH = [pytest.param(path, id=_named(path)) for path in PATHS]
THROUGH = [pytest.param(path, id=_named(path)) for path in PATHS if not path.direct]


def test_all_published_paths_are_in_the_table() -> None:
    assert PUBLISHED == {path.id for path in PATHS if path.source == "pathfinding.cloud"}


@pytest.mark.parametrize("path", EVERY_PATH)
def test_a_path_is_found_where_it_leads_somewhere(path: Path) -> None:
    me = _holder(path)
    found = _found(path, me, _account(me))
    assert found
    assert all(
        way.actions == path.actions and way.sentence.startswith("may ") and "{" not in way.sentence for way in found
    )


@pytest.mark.parametrize("path", EVERY_PATH)
def test_a_path_takes_every_one_of_its_actions(path: Path) -> None:
    for action in path.actions:
        me = _holder(path, without=action)
        assert _found(path, me, _account(me)) == [], f"without {action}"


@pytest.mark.parametrize("path", THROUGH)
def test_a_path_leads_nowhere_in_an_account_without_what_it_needs(path: Path) -> None:
    me = _holder(path)
    lone = account(*(replace(one, documents=(READ,), sources=()) for one in STRONG), me)
    assert _found(path, me, lone) == []


@pytest.mark.parametrize("path", EVERY_PATH)
def test_a_denial_elsewhere_among_ones_documents_ends_a_path(path: Path) -> None:
    me = _holder(path)
    denied = replace(me, documents=(*me.documents, deny(path.actions[0])), sources=(*me.sources, "inline no"))
    assert _found(path, denied, _account(denied)) == []


@pytest.mark.parametrize("path", EVERY_PATH)
def test_a_boundary_that_does_not_give_it_ends_a_path(path: Path) -> None:
    me = replace(_holder(path), boundary=READ, bounded_by=arn("policy", "boundary"))
    assert _found(path, me, _account(me)) == []


def test_every_action_of_the_table_is_asked_for_in_lower_case_once() -> None:
    assert len(ACTIONS) == len({one.lower() for one in ACTIONS})


# --- what the trials met ----------------------------------------------------------------------------


def _paths(me: Principal, *others: Principal, **more: object) -> list[tuple[str, str]]:
    return [(way.path, way.through.rpartition("/")[2]) for way in ways(account(me, *others, **more), me)]


def test_ones_own_name_as_a_variable_counts_with_the_path_one_has() -> None:
    document = allow("iam:PutUserPolicy", on=arn("user", "team/${aws:username}"))
    assert _paths(user("me", document, path="team/")) == [("iam-007", "me")]
    assert _paths(user("me", document)) == []


def test_ones_own_arn_written_out_counts() -> None:
    document = allow("iam:AttachUserPolicy", on=arn("user", "me"))
    assert _paths(user("me", document)) == [("iam-008", "me")]
    assert _paths(user("somebody", document)) == []


def test_rights_that_two_documents_give_together_count() -> None:
    deploy = role("deploy", ADMIN, trust=trusting(Service="lambda.amazonaws.com"))
    passing = allow("iam:PassRole", on=deploy.arn)
    making = allow("lambda:CreateFunction", "lambda:InvokeFunction")
    assert _paths(user("me", passing, making), deploy) == [("lambda-001", "deploy")]
    assert _paths(user("me", passing), deploy) == _paths(user("me", making), deploy) == []


def test_rights_of_ones_own_and_of_a_group_count_together() -> None:
    deploy = role("deploy", ADMIN, trust=trusting(Service="lambda.amazonaws.com"))
    makers = group("makers", allow("lambda:CreateFunction", "lambda:InvokeFunction"))
    me = joined(user("me", allow("iam:PassRole", on=deploy.arn)), makers)
    assert _paths(me, deploy, makers) == [("lambda-001", "deploy")]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}, True),
        ({"StringLike": {"iam:PassedToService": "*"}}, True),
        ({"StringLikeIfExists": {"iam:PassedToService": "lambda.*"}}, True),
        ({"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}, False),
        ({"StringNotEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}, False),
        ({"Bool": {"aws:ViaAWSMCPService": "true"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, True),
        ({"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}}, False),
        ({"ArnNotEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "red"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "blue"}}, False),
        ({"StringEquals": {"aws:ResourceTag/stage": "test"}}, True),
        ({"StringEquals": {"aws:ResourceTag/stage": "live"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": arn("user", "m*")}}, True),
        ({"ArnLike": {"aws:PrincipalArn": arn("user", "n*")}}, False),
    ],
    ids=str,
)
def test_a_condition_counts_where_it_restricts(when: dict[str, dict[str, str]], expected: bool) -> None:  # noqa: FBT001
    deploy = role("deploy", ADMIN, trust=trusting(Service="lambda.amazonaws.com"), tags={"stage": "test"})
    me = user(
        "me",
        allow("iam:PassRole", when=when),
        allow("lambda:CreateFunction", "lambda:InvokeFunction"),
        tags={"team": "red"},
    )
    assert (_paths(me, deploy) == [("lambda-001", "deploy")]) is expected


def test_no_name_is_made_up_that_a_policy_could_deny() -> None:
    everywhere = user("me", allow("iam:PutUserPolicy"), deny("iam:PutUserPolicy", on=arn("user", "nobody-names-*")))
    assert ("iam-007", "me") in _paths(everywhere)


def test_an_administrators_role_is_a_way_where_it_trusts_and_may_be_asked() -> None:
    me = user("me", allow("sts:AssumeRole", on=HUMAN.arn))
    assert _paths(me, HUMAN) == [("sts-001", "human")]
    assert _paths(me, replace(HUMAN, trust=trusting(AWS=arn("user", "you")))) == []
    assert _paths(user("me", allow("sts:AssumeRole", on=WEAK.arn)), HUMAN) == []


def test_a_passed_role_has_to_trust_the_service() -> None:
    me = user("me", allow("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"))
    assert _paths(me, role("deploy", ADMIN, trust=trusting(Service="ec2.amazonaws.com"))) == []
    assert _paths(me, role("deploy", ADMIN, trust=trusting(Service=["lambda.amazonaws.com"]))) == [
        ("lambda-001", "deploy")
    ]


def test_what_runs_counts_one_by_one_where_it_was_read() -> None:
    strong = role("strong", ADMIN, trust=trusting(Service="lambda.amazonaws.com"))
    here = f"arn:aws:lambda:eu-west-1:{NUMBER}:function:"
    running = (
        Running("lambda-function", f"{here}live", strong.arn),
        Running("lambda-function", f"{here}dev", WEAK.arn),
    )
    seen = {"running": running, "read": frozenset({"lambda-function"})}
    reach = {name: user("me", allow("lambda:UpdateFunctionCode", on=f"{here}{name}")) for name in ("live", "dev")}
    (way,) = ways(account(strong, reach["live"], **seen), reach["live"])
    assert way.sentence == (
        "may change the code of the Lambda function live, which runs with the role strong, "
        "which has administrator rights"
    )
    assert _paths(reach["dev"], strong, **seen) == []
    assert _paths(reach["dev"], strong) == [("lambda-003", "strong")]


def test_a_group_is_asked_for_whoever_is_in_it() -> None:
    himself = group("team", allow("iam:PutUserPolicy", on=arn("user", "${aws:username}")))
    assert [way.path for way in ways(account(himself), himself)] == ["iam-007"]


@pytest.mark.parametrize("escape", [False, True])
def test_a_boundary_that_its_holder_can_take_off_holds_nothing(escape: bool) -> None:  # noqa: FBT001
    more = ["iam:DeleteUserPermissionsBoundary"] if escape else []
    within = allow("iam:PutUserPolicy", *more, on=arn("user", "me"))
    me = user("me", within, boundary=within, bounded_by=arn("policy", "boundary"))
    assert bool(Judge(account(me)).direct(me)) is escape

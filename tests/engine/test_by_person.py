"""What gives rights a person makes with rights of his own: it is asked for, looked at, told, and safe to abandon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from plumbline.compose import Plumbline
from plumbline.controls import registry
from plumbline.controls.iam.iam_groups import CONTROL as GROUPS
from plumbline.core.calls import Call
from plumbline.core.cause import Origin
from plumbline.core.clock import Response
from plumbline.core.targets import GLOBAL, Target
from plumbline.engine.approving import CannotApprove, approve
from plumbline.engine.by_person import NotBegun, NotSeen, done
from plumbline.engine.case import Outcome, Settled
from plumbline.engine.undoing import UndoFailed, Undone, undo
from plumbline.findings.finding import Finding, Status
from plumbline.findings.tickets import TICKET_FOR
from plumbline.wakes.messages import Wake
from tests.rig import CAUSE, NOW, Rig, at_once
from tests.story import ACCOUNT, World, signs_in, world

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
_NOTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}'
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
SOON = timedelta(seconds=20)
MALLORY = Target(ACCOUNT, GLOBAL, "iam-user", "mallory")
EVERY_GROUP = Target(ACCOUNT, GLOBAL, "iam-groups", "baseline")
READS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}


@dataclass
class Town:
    """An account with a Plumbline in it that may not turn inline policies into managed ones, as shipped."""

    rig: Rig
    plumbline: Plumbline

    @property
    def iam(self) -> Any:
        """IAM, as whoever breaks or mends things uses it."""
        return self.rig.world.client("iam")

    def settle(self, control: str, target: Target, now: datetime = NOW) -> Settled:
        """An event about a target."""
        return self.plumbline.engine.settle(Wake(control, target, Origin.EVENT, CAUSE), now=now)

    def make(self, calls: tuple[Call, ...]) -> None:
        """A person makes what he was asked for."""
        self.rig.world.perform(GROUPS, MALLORY, calls, ())

    def kept(self, finding: Finding) -> Finding:
        """The finding as the ledger has it."""
        kept = self.plumbline.ledger.brief(finding.control, finding.target, NOW).finding
        assert kept is not None
        return kept

    @property
    def told(self) -> list[str]:
        """What was told, by kind."""
        return [one.attributes["outcome"] for one in self.rig.letters]

    @property
    def written(self) -> list[str]:
        """What Plumbline's roles wrote."""
        return [one.operation for one in self.rig.writes]

    def attached(self, user: str = "mallory") -> list[str]:
        """The managed policies of a user, by name."""
        held = self.iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]
        return [one["PolicyName"] for one in held]


@contextmanager
def _town(told: World, control: str, response: Response = Response.ENFORCE, **settings: Any) -> Iterator[Town]:
    rig, rule = Rig(told), at_once(registry.load()[control])
    rule = replace(rule, response=response, settings={**rule.settings, **settings})
    plumbline = rig.install({control: rule}, controls={control: registry.load()[control]}, converts=False)
    yield Town(rig, plumbline)


@pytest.fixture
def grant() -> Iterator[tuple[Town, Finding]]:
    """A user's administrator rights that Plumbline has taken away."""
    with world() as told, _town(told, "iam-admin-grants") as town:
        for user, group in (("owner", "administrators"), ("mallory", "")):
            town.iam.create_user(UserName=user)
            if group:
                signs_in(town.iam, user)
                town.iam.create_group(GroupName=group)
                town.iam.attach_group_policy(GroupName=group, PolicyArn=ADMIN)
                town.iam.add_user_to_group(GroupName=group, UserName=user)
        town.iam.attach_user_policy(UserName="mallory", PolicyArn=ADMIN)
        finding = town.settle("iam-admin-grants", MALLORY).finding
        assert finding is not None
        assert ([], Status.REPAIRED) == (town.attached(), finding.status)
        town.rig.forget()
        yield town, finding


def _undo(town: Town, finding: Finding, now: datetime = NOW + SOON, *, force: bool = False) -> Undone:
    return undo(town.plumbline.engine, town.plumbline.ledger, finding, now=now, by=ANN, force=force)


def _done(town: Town, finding: Finding, *, now: datetime = NOW + 2 * SOON, failed: int = 0) -> Settled | Undone:
    return done(town.plumbline.engine, finding, finding.ticket, now=now, by=ANN, failed=failed)


# --- undo ----------------------------------------------------------------------------------------------------------


def test_undoing_an_administrator_grant_is_asked_of_a_person_and_no_role_touches_it(
    grant: tuple[Town, Finding],
) -> None:
    town, finding = grant
    asked = _undo(town, finding)
    assert (
        Call("iam", "AttachUserPolicy", {"UserName": "mallory", "PolicyArn": ADMIN}, absent=("NoSuchEntity",)),
    ) == (asked.asks)
    assert ([], [], []) == (town.written, town.told, town.attached())
    kept = town.kept(finding)
    assert (Status.UNDOING, NOW + SOON + TICKET_FOR) == (kept.status, kept.lease)
    assert kept.ticket


def test_what_a_person_has_made_of_an_undo_is_looked_at_recorded_and_told(grant: tuple[Town, Finding]) -> None:
    town, finding = grant
    asked = _undo(town, finding)
    town.make(asked.asks)
    came = _done(town, asked.finding)
    assert isinstance(came, Undone)
    assert (True, Status.UNDONE, "") == (came.restored, came.finding.status, came.finding.ticket)
    assert ANN == came.finding.repairs[-1].undone_by
    assert (["AdministratorAccess"], [], ["undone"]) == (town.attached(), town.written, town.told)
    assert "with rights of that person's own" in " ".join(town.rig.letters[0].body.split())


def test_an_undo_that_is_said_to_be_made_and_is_not_did_not_bring_it_back(grant: tuple[Town, Finding]) -> None:
    town, finding = grant
    came = _done(town, _undo(town, finding).finding)
    assert isinstance(came, Undone)
    assert (False, []) == (came.restored, town.attached())


def test_an_undo_that_aws_refused_to_the_person_is_told_as_failed(grant: tuple[Town, Finding]) -> None:
    town, finding = grant
    asked = _undo(town, finding)
    with pytest.raises(UndoFailed, match="iam:AttachUserPolicy was refused to whoever typed it"):
        _done(town, asked.finding, failed=1)
    assert (["undo-failed"], Status.EXEMPT, "") == (town.told, town.kept(finding).status, town.kept(finding).ticket)


def test_an_undo_that_nobody_reports_is_told_when_its_time_is_over(grant: tuple[Town, Finding]) -> None:
    town, finding = grant
    _undo(town, finding)
    assert Outcome.HELD is town.settle("iam-admin-grants", MALLORY, NOW + 2 * SOON).outcome
    assert [] == town.told
    town.settle("iam-admin-grants", MALLORY, NOW + SOON + TICKET_FOR + SOON)
    assert (["undo-cut-short"], "") == (town.told, town.kept(finding).ticket)
    assert "nobody has reported" in " ".join(town.rig.letters[0].body.split())


def test_a_wake_that_meets_a_person_at_work_does_not_come_back_to_the_queue(grant: tuple[Town, Finding]) -> None:
    town, finding = grant
    town.make(_undo(town, finding).asks)
    settled = town.settle("iam-admin-grants", MALLORY, NOW + 2 * SOON)
    assert (Outcome.HELD, False) == (settled.outcome, settled.again)


def test_who_types_undo_once_more_is_asked_once_more_and_the_earlier_ticket_is_void(
    grant: tuple[Town, Finding],
) -> None:
    town, finding = grant
    first, second = _undo(town, finding), _undo(town, finding, NOW + 2 * SOON)
    assert first.asks == second.asks
    assert first.finding.ticket != second.finding.ticket
    with pytest.raises(NotBegun, match=f"plumbline show {finding.short}"):
        _done(town, first.finding)
    town.make(second.asks)
    assert isinstance(_done(town, second.finding), Undone)


@pytest.mark.parametrize("ticket", ["", "000000"])
def test_nothing_is_done_under_a_ticket_that_nobody_was_given(grant: tuple[Town, Finding], ticket: str) -> None:
    town, finding = grant
    for one in (finding, _undo(town, finding).finding):
        with pytest.raises(NotBegun):
            done(town.plumbline.engine, one, ticket, now=NOW + SOON)


# --- approve -------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[Response.ENFORCE, Response.PROPOSE], ids=lambda one: one.value)
def inline(request: pytest.FixtureRequest) -> Iterator[tuple[Town, Finding]]:
    """A proposal to make a managed policy of an inline one, in whatever mode."""
    with world() as told, _town(told, "iam-inline-policies", request.param) as town:
        town.iam.create_user(UserName="mallory")
        town.iam.put_user_policy(UserName="mallory", PolicyName="reads", PolicyDocument=json.dumps(READS))
        settled = town.settle("iam-inline-policies", MALLORY)
        assert settled.finding is not None
        assert (Outcome.TOLD, True, []) == (settled.outcome, settled.finding.proposal is not None, town.written)
        town.rig.forget()
        yield town, settled.finding


def _approve(town: Town, finding: Finding, now: datetime = NOW + SOON) -> Settled:
    return approve(town.plumbline.engine, finding, now=now, by=ANN)


def test_an_inline_policy_is_proposed_whatever_the_mode_is(inline: tuple[Town, Finding]) -> None:
    _, finding = inline
    assert finding.proposal is not None
    assert "waits for approval" in finding.then


def test_what_an_approval_gives_a_person_makes_and_hands_take_away_the_rest(inline: tuple[Town, Finding]) -> None:
    town, finding = inline
    begun = _approve(town, finding)
    assert (Outcome.BEGUN, ["CreatePolicy", "AttachUserPolicy"]) == (
        begun.outcome,
        [one.operation for one in begun.asks],
    )
    assert ([], []) == (town.written, town.told)
    assert begun.finding is not None
    town.make(begun.asks)
    came = _done(town, begun.finding)
    assert isinstance(came, Settled)
    assert came.finding is not None
    assert (Outcome.REPAIRED, ["DeleteUserPolicy"], ["repaired"]) == (came.outcome, town.written, town.told)
    assert [] == town.iam.list_user_policies(UserName="mallory")["PolicyNames"]
    assert 1 == len(town.attached())
    repair = came.finding.repairs[-1]
    assert (ANN, ANN, True, "", None) == (
        repair.by, repair.made_by, repair.held, came.finding.ticket, came.finding.proposal
    )  # fmt: skip
    assert "Made by" in town.rig.letters[0].body
    taken_back = _undo(town, came.finding, NOW + 3 * SOON)
    assert ["PutUserPolicy"] == [one.operation for one in taken_back.asks]
    town.make(taken_back.asks)
    assert isinstance(_done(town, taken_back.finding, now=NOW + 4 * SOON), Undone)
    assert (["reads"], []) == (town.iam.list_user_policies(UserName="mallory")["PolicyNames"], town.attached())


def test_nothing_is_taken_away_on_somebodys_word_that_he_has_given_the_rest(inline: tuple[Town, Finding]) -> None:
    town, finding = inline
    begun = _approve(town, finding)
    assert begun.finding is not None
    with pytest.raises(NotSeen, match=f"plumbline done {finding.short} {begun.finding.ticket}"):
        _done(town, begun.finding)
    assert ([], [], begun.finding.ticket) == (town.written, town.told, town.kept(finding).ticket)
    town.make(begun.asks)
    assert isinstance(_done(town, begun.finding), Settled), "the ticket is still good"


def test_what_aws_refused_to_the_person_is_told_as_a_failed_repair(inline: tuple[Town, Finding]) -> None:
    town, finding = inline
    begun = _approve(town, finding)
    assert begun.finding is not None
    town.make(begun.asks[:1])
    came = _done(town, begun.finding, failed=2)
    assert (Outcome.FAILED, [], ["repair-failed"]) == (came.outcome, town.written, town.told)  # type: ignore[union-attr]
    assert "iam:AttachUserPolicy was refused" in town.kept(finding).repairs[-1].error


def test_an_approval_of_which_nothing_was_made_stands_as_a_proposal_again(inline: tuple[Town, Finding]) -> None:
    town, finding = inline
    _approve(town, finding)
    town.settle(finding.control, MALLORY, NOW + SOON + TICKET_FOR + SOON)
    kept = town.kept(finding)
    assert (Status.OPEN, "", ()) == (kept.status, kept.ticket, kept.repairs)
    assert kept.proposal is not None
    assert [] == town.told
    again = _approve(town, kept, NOW + TICKET_FOR + 3 * SOON)
    assert Outcome.BEGUN is again.outcome


def test_an_approval_of_which_a_part_was_made_is_told_when_its_time_is_over(inline: tuple[Town, Finding]) -> None:
    town, finding = inline
    begun = _approve(town, finding)
    town.make(begun.asks)
    town.settle(finding.control, MALLORY, NOW + SOON + TICKET_FOR + SOON)
    if town.plumbline.engine.rule(finding.control).response is Response.ENFORCE:  # what is left gives nothing
        assert (["repaired"], ["DeleteUserPolicy"]) == (town.told, town.written)
        return
    assert (["repair-failed"], []) == (town.told, town.written)
    assert "nobody reported" in town.kept(finding).repairs[-1].error


def test_what_is_made_in_whole_and_never_reported_is_told_as_made_by_a_person(inline: tuple[Town, Finding]) -> None:
    town, finding = inline
    begun = _approve(town, finding)
    town.make(begun.asks)
    town.iam.delete_user_policy(UserName="mallory", PolicyName="reads")
    town.settle(finding.control, MALLORY, NOW + SOON + TICKET_FOR + SOON)
    assert (["repaired"], Status.REPAIRED, "") == (town.told, town.kept(finding).status, town.kept(finding).ticket)


def test_who_approves_once_more_is_asked_once_more(inline: tuple[Town, Finding]) -> None:
    town, finding = inline
    first, second = _approve(town, finding), _approve(town, finding, NOW + 2 * SOON)
    assert first.asks == second.asks
    assert first.finding is not None
    assert second.finding is not None
    assert first.finding.ticket != second.finding.ticket
    assert 1 == len(second.finding.repairs)
    town.make(second.asks[:1])
    with pytest.raises(CannotApprove):
        _approve(town, finding, NOW + 3 * SOON)


# --- the administrators' group -------------------------------------------------------------------------------------


def _policies(town: Town, group: str) -> list[str]:
    return [one["PolicyName"] for one in town.iam.list_attached_group_policies(GroupName=group)["AttachedPolicies"]]


def test_whoever_is_renamed_into_the_place_of_the_administrators_is_given_nothing() -> None:
    """The interns' group takes the administrators' name: what it lacks is proposed, and given by a person or nobody."""
    groups = {"administrators": ["AdministratorAccess"], "data-scientists": ["AmazonAthenaFullAccess"]}
    with world() as told, _town(told, "iam-groups", groups=groups) as town:
        for own in ("plumbline-guard", "plumbline-self-service"):
            town.iam.create_policy(PolicyName=own, Path="/plumbline/", PolicyDocument=_NOTHING)
        town.iam.create_user(UserName="zoe")
        town.iam.create_group(GroupName="interns")
        town.iam.add_user_to_group(GroupName="interns", UserName="zoe")
        town.iam.create_group(GroupName="administrators")
        town.iam.attach_group_policy(GroupName="administrators", PolicyArn=ADMIN)
        town.iam.update_group(GroupName="administrators", NewGroupName="admins-old")
        town.iam.update_group(GroupName="interns", NewGroupName="administrators")
        first = town.settle("iam-groups", EVERY_GROUP)
        assert Outcome.REPAIRED is first.outcome, "what may be given is"
        carried = ["AmazonAthenaFullAccess", "plumbline-guard", "plumbline-self-service"]
        assert carried == sorted(_policies(town, "data-scientists"))
        assert ["CreateGroup", *["AttachGroupPolicy"] * 3] == town.written
        second = town.settle("iam-groups", EVERY_GROUP, NOW + timedelta(hours=2))
        assert (Outcome.TOLD, [], ["repaired-in-part", "found"]) == (
            second.outcome, _policies(town, "administrators"), town.told
        )  # fmt: skip
        assert second.finding is not None
        assert second.finding.proposal is not None
        assert ["AttachGroupPolicy"] == [one.operation for one in second.finding.proposal.plan.do]
        said = " ".join(town.rig.letters[-1].body.split())
        assert "Whoever is in administrators becomes an administrator" in said
        assert "aws iam get-group --group-name administrators" in said
        begun = _approve(town, second.finding, NOW + timedelta(hours=3))
        assert [("AttachGroupPolicy", ADMIN)] == [(one.operation, one.parameters["PolicyArn"]) for one in begun.asks]

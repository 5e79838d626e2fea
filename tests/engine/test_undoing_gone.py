"""An undo of what is gone says so, and does not say that AWS took it."""

from __future__ import annotations

from datetime import timedelta

from plumbline.alerts.outcomes import not_restored
from plumbline.controls import registry
from plumbline.core.calls import Call
from plumbline.core.targets import GLOBAL, Target
from tests.fakes import NOW, House
from tests.story import ACCOUNT, world

HOUR = timedelta(hours=1)


def _words(text: str) -> str:
    return " ".join(text.split())


def test_an_undo_of_what_is_gone_is_refused_and_forced_it_says_that_it_is_gone() -> None:
    house = House()
    house.settle()
    house.aws.lamps.clear()
    refused = house.type("undo", house.finding.short, now=NOW + HOUR)
    assert not refused.ok
    assert "as it is now: gone" in _words(refused.text)
    forced = house.type("undo", house.finding.short, "--force", now=NOW + HOUR)
    expected = "it does not exist any more, so nothing of it could be brought back"
    for said in (forced.text, house.alerts.letters[-1].body):
        assert expected in _words(said)
        assert "AWS took every change" not in _words(said)


def test_where_only_a_part_is_gone_the_answer_counts_what_was_in_vain() -> None:
    expected = "AWS had nothing to make 1 of 3 changes on, gone as it is or so already, and it is not as it was"
    assert expected == not_restored(1, 3, gone=False)
    assert not_restored(0, 3, gone=False) == "AWS took every change, and it is still not as it was"


def test_a_call_that_found_nothing_says_so() -> None:
    with world() as told:
        told.client("iam").create_user(UserName="ann")
        target = Target(ACCOUNT, GLOBAL, "iam-user", "ann")
        control = registry.load()["iam-admin-grants"]
        name = {"UserName": "ann", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
        attach = Call("iam", "AttachUserPolicy", name, absent=("NoSuchEntity",))
        detach = Call("iam", "DetachUserPolicy", name, absent=("NoSuchEntity",))
        act = told.accounts.hands(control, target, (detach,), ("*",))
        assert act(detach) is False
        told.perform(control, target, (attach,), ("*",))
        assert act(detach) is True


def test_an_undo_counts_what_aws_had_nothing_to_make_on() -> None:
    house = House()
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    house.settle()
    lamp = dict(house.aws.lamps["hall"])

    def comes_and_goes() -> None:  # gone for the first write only
        if "hall" in house.aws.lamps:
            del house.aws.lamps["hall"]
        else:
            house.aws.lamps["hall"] = lamp

    house.aws.on_write = comes_and_goes
    said = house.type("undo", house.finding.short, now=NOW + HOUR)
    assert not_restored(1, 2, gone=False) in _words(said.text)

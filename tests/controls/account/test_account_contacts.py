"""account-contacts: whom AWS writes to is whom the baseline declares; what nobody declared is told once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from plumbline.baseline.compiler import compile_text
from plumbline.baseline.rules import Baseline
from plumbline.controls.account.account_contacts import CONTROL, describe, detect, locate, observe, plan
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.errors import BaselineError
from plumbline.core.targets import GLOBAL, Target
from tests.story import ACCOUNT, HOME, Story, World, defaults, world

ANN = {"name": "Ann Lee", "title": "Security", "email": "security@example.com", "phone": "+61 2 5550 0100"}
AWS_ANN = {
    "Name": "Ann Lee", "Title": "Security", "EmailAddress": "security@example.com", "PhoneNumber": "+61 2 5550 0100",
}  # fmt: skip
MALLORY = {**AWS_ANN, "Name": "Mallory", "EmailAddress": "mallory@example.net"}
DECLARED = {"security": ANN}
SETTINGS = {**defaults(CONTROL), **DECLARED}


def contact(name: str = "SECURITY") -> Target:
    return Target(ACCOUNT, GLOBAL, "alternate-contact", name)


def _set(kind: str, **said: str) -> Callable[[World], Target]:
    def put(world: World) -> Target:
        if said:
            world.client("account").put_alternate_contact(AlternateContactType=kind, **said)
        return contact(kind)

    return put


STORIES = (
    Story("somebody else is the contact", CONTROL.id, _set("SECURITY", **MALLORY), settings=DECLARED),
    Story("there is none", CONTROL.id, _set("SECURITY"), settings=DECLARED),
    Story("nobody has declared one", CONTROL.id, _set("OPERATIONS"), settings=DECLARED, alert_only=True),
)


def test_the_declared_contact_is_in_line_and_so_is_anybody_where_none_is_declared() -> None:
    assert detect({"id": "SECURITY", "contact": AWS_ANN}, SETTINGS) is None
    assert detect({"id": "BILLING", "contact": MALLORY}, SETTINGS) is None


def test_what_differs_is_named() -> None:
    assert detect({"id": "SECURITY", "contact": MALLORY}, SETTINGS) == Deviation(
        "is not the baseline's: name, email differs", ("name", "email")
    )
    assert detect({"id": "SECURITY", "contact": None}, SETTINGS) == Deviation("is missing", ("no contact",))


def test_what_is_missing_and_not_declared_is_told_once() -> None:
    found = detect({"id": "BILLING", "contact": None}, SETTINGS)
    assert found == Deviation("is missing, and the baseline declares none", ("no contact",), "undeclared")
    clock = CONTROL.clocks["undeclared"]
    assert (clock.remind, clock.every, clock.escalate, clock.act) == ((), None, None, None)
    assert "as `billing` of account-contacts" in plan(contact("BILLING"), {"contact": None}, SETTINGS).refusal


def test_the_earlier_contact_comes_back_with_all_its_fields_and_no_account_is_named() -> None:
    found = plan(contact(), {"id": "SECURITY", "contact": MALLORY}, SETTINGS)
    put = {"AlternateContactType": "SECURITY"}
    assert found.do == (Call("account", "PutAlternateContact", {**put, **AWS_ANN}),)
    assert found.undo == (Call("account", "PutAlternateContact", {**put, **MALLORY}),)
    with world() as here:
        assert observe(here.accounts.eyes(ACCOUNT, HOME), contact()) == {"id": "SECURITY", "contact": None}
        (asked,) = here.calls
    assert (asked.parameters, asked.region) == (put, "eyes:eu-west-1")


def test_what_aws_keeps_around_a_name_is_no_difference() -> None:
    padded = {**AWS_ANN, "EmailAddress": " security@example.com "}
    assert detect({"id": "SECURITY", "contact": padded}, SETTINGS) is None


def test_who_it_is_in_words() -> None:
    assert describe({"id": "SECURITY", "contact": AWS_ANN}) == (
        "Ann Lee, Security, security@example.com, +61 2 5550 0100"
    )


@pytest.mark.parametrize(("said", "found"), [("BILLING", "BILLING"), ("PRIMARY", "*"), (None, "*"), (7, "*")])
def test_an_event_that_does_not_say_which_contact_it_is_about_makes_all_be_looked_at(said: Any, found: str) -> None:
    detail = {"recipientAccountId": ACCOUNT, "requestParameters": {"alternateContactType": said}}
    assert list(locate(detail)) == [contact(found)]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("phone: '555 CALL-ME'", (
            '.phone: "555 CALL-ME" has not the right form. '
            "Write digits, spaces, ( ) + and - alone, as '+61 2 5550 0100'."
        )),
        ("phone: 55501", ".phone: 55501 stands where text belongs; write it in quotes: '55501'"),
        ("phone: '00000000000000000000000000'", ".phone: this is too long; write at most 25 characters"),
        ("email: ann", (
            '.email: "ann" has not the right form. Write an e-mail address alone, as security@example.com.'
        )),
        (f"title: {'x' * 51}", ".title: this is too long; write at most 50 characters"),
        ("name: ''", ".name: this must not be empty; write something"),
        ("fax: '1'", ".fax: there is no such key; write one of: name, title, email, phone"),
    ],
)  # fmt: skip
def test_a_contact_that_aws_would_refuse_stops_the_build(change: str, problem: str) -> None:
    key = change.partition(":")[0]
    rest = ", ".join(f"{name}: '{value}'" for name, value in ANN.items() if name != key)
    text = f"controls: {{account-contacts: {{security: {{{rest}, {change}}}}}}}"
    with pytest.raises(BaselineError) as refused:
        compile_text(text, name="b", today=date(2026, 3, 2))
    assert refused.value.problems == (f"b:1: controls.account-contacts.security{problem}",)


def test_a_contact_without_a_telephone_stops_the_build() -> None:
    with pytest.raises(BaselineError, match=r"'title' and 'phone' are missing; add `title: "):
        compile_text(
            "controls: {account-contacts: {security: {name: Ann, email: a@example.com}}}",
            name="b", today=date(2026, 3, 2),
        )  # fmt: skip


def test_a_profile_may_be_taken_back_contact_by_contact() -> None:
    text = "controls: {account-contacts: {security: null}}"
    rules = Baseline.from_json(compile_text(text, name="b", today=date(2026, 3, 2))).rules
    assert rules[CONTROL.id].own == defaults(CONTROL)

"""The people whom AWS asks are the ones that the baseline names.

Holds: the account's alternate contacts for security, billing and operations are those that the baseline declares, each
with name, title, e-mail address and telephone number. One that the baseline does not declare may be anybody's; where
there is none at all, you are told once. The account's own contact, its address and telephone, is not looked at.
Why: AWS writes to the security contact when it sees your keys on the internet or your account attacking others, and
waits a few days before it restricts the account. Without one it writes to the root user's mailbox, which nobody may
read; and somebody who broke in may have made himself the contact.
Repair: sets the contact to the declared one, all of it: AWS takes no part of a contact.
Undo: sets the earlier contact, or removes it where there was none.
Source: AWS Account Management reference guide, Update the alternate contacts for your AWS account; AWS Account
Management API reference, PutAlternateContact.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, NEVER, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.wakes import cloudtrail

KIND = "alternate-contact"
#: The clock of a contact that is missing, and that nobody has declared.
UNDECLARED = "undeclared"
#: AWS's name of a contact, which is its target's id -> the setting that declares it.
CONTACTS = {"SECURITY": "security", "BILLING": "billing", "OPERATIONS": "operations"}
#: As the API calls it -> as a person does, and the baseline.
_FIELDS = {"Name": "name", "Title": "title", "EmailAddress": "email", "PhoneNumber": "phone"}
_NONE = ("ResourceNotFoundException",)


def locate(detail: Event) -> Iterable[Target]:
    """The contact that the event is about; all three where it does not say."""
    said = cloudtrail.parameter(detail, "alternateContactType", "AlternateContactType")
    return cloudtrail.here(detail, KIND, said if said in CONTACTS else "", region=GLOBAL)


def find(ask: Ask) -> Iterable[Target]:
    """The account has three."""
    for name in CONTACTS:
        yield Target(ask.account, GLOBAL, KIND, name)


def observe(ask: Ask, target: Target) -> State:
    """The contact, or that there is none. No account is named: whoever names his own is refused.

    Source: AWS Account Management API reference, GetAlternateContact, AccountId.
    """
    if target.id not in CONTACTS:
        return None
    answer = ask(Call("account", "GetAlternateContact", {"AlternateContactType": target.id}, absent=_NONE))
    contact = answer["AlternateContact"] if answer else None
    return {"id": target.id, "contact": contact and {name: contact.get(name, "") for name in _FIELDS}}


def detect(state: State, settings: Settings) -> Deviation | None:
    """Another one than the baseline declares; or none, where it declares none."""
    if state is None:  # AWS knows no such contact
        return None
    wanted, contact = settings[CONTACTS[state["id"]]], state["contact"]
    if not wanted:
        undeclared = Deviation("is missing, and the baseline declares none", ("no contact",), UNDECLARED)
        return undeclared if contact is None else None
    if contact is None:
        return Deviation("is missing", ("no contact",))
    other = tuple(key for name, key in _FIELDS.items() if contact[name].strip() != wanted[key])
    return Deviation(f"is not the baseline's: {', '.join(other)} differs", other) if other else None


def describe(state: State) -> str:
    """Who it is."""
    if state is None or state["contact"] is None:
        return "there is no such contact; AWS writes to the root user's mailbox"
    name, title, email, phone = (state["contact"][one] for one in _FIELDS)
    return f"{name}, {title}, {email}, {phone}"


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Set all of it, in one write: AWS takes no part of a contact."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    key, before = CONTACTS[target.id], state["contact"]
    wanted = settings[key]
    if not wanted:
        return Plan(
            refusal=f"only you know who it is; write it into baseline.yaml as `{key}` of account-contacts, or type it "
            "into the console: the account's name at the upper right, Account, Alternate contacts"
        )
    after = {
        name: wanted[written] if before is None or written in facts else before[name]
        for name, written in _FIELDS.items()
    }
    return Plan(
        steps=(Step(_put(target, after), (_put(target, before) if before else _delete(target),)),),
        resources=(f"arn:*:account::{target.account}:account",),
        summary=f"sets the {key} contact to {after['Name']}, {after['EmailAddress']}",
    )


def _put(target: Target, contact: Mapping[str, str]) -> Call:
    return Call("account", "PutAlternateContact", {"AlternateContactType": target.id, **contact})


def _delete(target: Target) -> Call:
    return Call("account", "DeleteAlternateContact", {"AlternateContactType": target.id}, absent=_NONE)


def _text(most: int, what: str, pattern: str = "", form: str = "") -> dict[str, Any]:
    more = {"pattern": pattern, "patternErrorMessage": form} if pattern else {}
    return {"type": "string", "minLength": 1, "maxLength": most, **more, "description": what}


def _contact(about: str) -> dict[str, Any]:
    """What AWS takes for a contact. Source: AWS Account Management API reference, PutAlternateContact."""
    email = _text(
        254, "The e-mail address; a list that several people read.", r"^[\w+=.#|!&-]+@[\w.-]+\.\w+$",
        "Write an e-mail address alone, as security@example.com.",
    )  # fmt: skip
    phone = _text(
        25, "The telephone number.", r"^[\s0-9()+-]+$", "Write digits, spaces, ( ) + and - alone, as '+61 2 5550 0100'."
    )
    return {
        "type": ["object", "null"],
        "properties": {
            "name": _text(64, "The name of a person or a team."),
            "title": _text(50, "The title, such as Security team."),
            "email": email,
            "phone": phone,
        },
        "required": ["name", "title", "email", "phone"],
        "additionalProperties": False,
        "default": None,
        "examples": [
            {"name": "Ann Lee", "title": "Security", "email": "security@example.com", "phone": "+61 2 5550 0100"}
        ],
        "description": f"{about} Nothing is held while it is not declared.",
    }


CONTROL = Control(
    id="account-contacts",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.LOW,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND, UNDECLARED: NEVER},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(On("account.amazonaws.com", ("DeleteAlternateContact", "PutAlternateContact"), locate),),
    reads=frozenset({"account:GetAlternateContact"}),
    writes=frozenset({"account:DeleteAlternateContact", "account:PutAlternateContact"}),
    # An organisation may keep its members' contacts to itself; the session may write them, so nobody else refuses.
    held_by=frozenset({"AccessDenied", "AccessDeniedException"}),
    noun="the {id} contact of the account",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    settings={
        "security": _contact("Whom AWS tells of security."),
        "billing": _contact("Whom AWS tells of bills."),
        "operations": _contact("Whom AWS tells of operations."),
    },
    answers={"cis-7.0": ("2.2", "2.3"), "moj": ("contact",), "ssb": ("ACCT.01",)},
)

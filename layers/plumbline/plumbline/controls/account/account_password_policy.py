"""The account's password policy is at least as strong as the baseline's.

Holds: each rule for IAM users' passwords is the baseline's or stricter: length, kinds of characters, how many earlier
passwords are refused, and, if the baseline asks for it, the greatest age.
Why: a weak or reused password is guessed or found in somebody else's leak, and then the account is open to anyone who
tries. Weakening the policy lets weak ones in without anybody noticing.
Repair: sets each rule to the stricter of what is there and what the baseline says, in one write; nothing stricter is
weakened, and "hard expiry" (which locks people out instead of asking for a new password) is never switched on. Where it
is on already, the age is not shortened: you are told.
Undo: sets the earlier rules, or deletes the policy when there was none. Passwords are only checked when they change.
Source: IAM API reference, UpdateAccountPasswordPolicy.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.wakes import cloudtrail

KIND = "account-password-policy"
_NONE = ("NoSuchEntity",)
#: What AWS asks for while an account has no policy of its own; 0 stands for "none".
#: Source: IAM user guide, default password policy (three kinds of characters, which no field can say).
NOTHING: Mapping[str, Any] = {
    "MinimumPasswordLength": 8,
    "RequireSymbols": False,
    "RequireNumbers": False,
    "RequireUppercaseCharacters": False,
    "RequireLowercaseCharacters": False,
    "AllowUsersToChangePassword": False,
    "MaxPasswordAge": 0,
    "PasswordReusePrevention": 0,
    "HardExpiry": False,
}
_SETTINGS = {
    "MinimumPasswordLength": "minimum_length",
    "RequireSymbols": "require_symbols",
    "RequireNumbers": "require_numbers",
    "RequireUppercaseCharacters": "require_uppercase",
    "RequireLowercaseCharacters": "require_lowercase",
    "AllowUsersToChangePassword": "allow_users_to_change",
    "MaxPasswordAge": "max_age_days",
    "PasswordReusePrevention": "reuse_prevention",
}


def locate(detail: Event) -> Iterable[Target]:
    """The account has one."""
    return cloudtrail.here(detail, KIND, "policy", region=GLOBAL)


def find(ask: Ask) -> Iterable[Target]:
    """The account has one."""
    yield Target(ask.account, GLOBAL, KIND, "policy")


def observe(ask: Ask, _target: Target) -> State:
    """Every rule of the policy; those of no policy when there is none."""
    answer = ask(Call("iam", "GetAccountPasswordPolicy", absent=_NONE))
    policy = answer["PasswordPolicy"] if answer else {}
    return {"exists": answer is not None, **{name: policy.get(name) or nothing for name, nothing in NOTHING.items()}}


def merged(state: Mapping[str, Any], settings: Settings, facts: Container[str] = EVERY) -> dict[str, Any]:
    """The stricter of what is there and what the baseline says, rule by rule; what is not meant stays as it is."""
    ages = [age for age in (state["MaxPasswordAge"], settings["max_age_days"]) if age]
    strict = {name: max(state[name], settings[key]) for name, key in _SETTINGS.items()}
    strict |= {"MaxPasswordAge": min(ages, default=0), "HardExpiry": state["HardExpiry"]}
    return {name: value if _fact(name, state, value) in facts else state[name] for name, value in strict.items()}


def detect(state: State, settings: Settings) -> Deviation | None:
    """A rule that is weaker than the baseline's."""
    assert state is not None  # noqa: S101 - observe always answers
    weaker = tuple(_weaker(state, settings))
    if not weaker:
        return None
    return Deviation("is weaker than the baseline's" if state["exists"] else "does not exist", weaker)


def describe(state: State) -> str:
    """Every rule that asks for something."""
    if state is None or not state["exists"]:
        return "there is no password policy; AWS's own minimum holds"
    asked = [name for name, value in state.items() if value is True and name != "exists"]
    numbers = [f"{name} {state[name]}" for name in _SETTINGS if state[name] and not isinstance(state[name], bool)]
    return ", ".join(numbers + asked)


def plan(_target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """One write with every rule in it: UpdateAccountPasswordPolicy resets what is left out."""
    assert state is not None  # noqa: S101 - observe always answers
    wanted = merged(state, settings, facts)
    if state["HardExpiry"] and wanted["MaxPasswordAge"] != state["MaxPasswordAge"]:
        return Plan(refusal="hard expiry is on, and a shorter age would lock out everybody whose password is older")
    raised = ", ".join(name for name in wanted if wanted[name] != state[name])
    what = f"{raised} of the password policy" if any(_weaker({**state, **wanted}, settings)) else "the password policy"
    before = _update(state) if state["exists"] else Call("iam", "DeleteAccountPasswordPolicy", absent=_NONE)
    return Plan(
        steps=(Step(do=_update(wanted), undo=(before,)),),
        resources=("*",),
        summary=f"raises {what} to the baseline's strength, and weakens nothing",
    )


def _weaker(state: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    wanted = merged(state, settings)
    return (_fact(name, state, wanted[name]) for name in _SETTINGS if wanted[name] != state[name])


def _fact(name: str, state: Mapping[str, Any], wanted: object) -> str:
    return f"{name} {wanted}, was {state[name]}"


def _update(rules: Mapping[str, Any]) -> Call:
    """The write that sets exactly these rules; AWS takes no zero, leaving a number out means none."""
    return Call(
        "iam",
        "UpdateAccountPasswordPolicy",
        {name: rules[name] for name in NOTHING if rules[name] or rules[name] is False},
    )


def _flag(what: str) -> dict[str, Any]:
    return {"type": "boolean", "default": True, "description": what}


def _number(least: int, most: int, default: int, what: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most, "default": default, "description": what}


CONTROL = Control(
    id="account-password-policy",
    doc=__doc__ or "",
    since="0.1",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(On("iam.amazonaws.com", ("DeleteAccountPasswordPolicy", "UpdateAccountPasswordPolicy"), locate),),
    reads=frozenset({"iam:GetAccountPasswordPolicy"}),
    writes=frozenset({"iam:DeleteAccountPasswordPolicy", "iam:UpdateAccountPasswordPolicy"}),
    noun="the account's password policy",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    settings={
        "minimum_length": _number(6, 128, 14, "Characters a password must have."),
        "require_symbols": _flag("A password needs a symbol."),
        "require_numbers": _flag("A password needs a digit."),
        "require_uppercase": _flag("A password needs an upper-case letter."),
        "require_lowercase": _flag("A password needs a lower-case letter."),
        "reuse_prevention": _number(0, 24, 24, "How many earlier passwords are refused; 0 for none."),
        "max_age_days": _number(0, 1095, 0, "Days after which a password must be changed; 0 for never."),
        "allow_users_to_change": _flag("Users may change their own password."),
    },
    answers={"cis-7.0": ("2.8", "2.9"), "ssb": ("ACCT.06",)},
)

"""What can be typed: whoever may invoke the function that answers is nobody until he has proven who he is."""

from __future__ import annotations

import json
from typing import Any

from tests.attacks import signing
from tests.attacks.attack import ADMINISTRATOR, Attack, Attacker, Blow, Deed, Prevented, Told, Way, blow
from tests.attacks.attackers import IAM_FULL, INVOKER, POWER
from tests.attacks.stage import Stage

_OPERATE = "plumbline-operate"
_ADMIN = (
    "arn:aws:iam::<account>:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_AdministratorAccess_0123456789abcdef"
)
_UNPROVEN = Prevented("the function that answers: who typed it is not proven")
_NO_OPERATOR = Prevented("the function that answers: who typed it is proven, and is no operator")
_PAUSE = ("pause", "--hours", "4", "--reason", "migration")
_EXEMPT = ("exempt", "*", "--control", "all", "--days", "30", "--owner", "ann", "--reason", "agreed", "--all")
_OTHER_ACCOUNT = "444455556666"


def _typed(*words: str, **more: Any) -> Blow:
    said = {"command": list(words), "by": _ADMIN, **more}
    return blow("lambda", "invoke", FunctionName=_OPERATE, Payload=json.dumps(said))


def _undo_any(stage: Stage, who: Attacker) -> Any:
    """Undo whatever can be undone, under an administrator's name."""
    listed = stage.invoke(_OPERATE, {"command": ["findings"]})
    known = [one["id"] for one in (listed.get("data") or {}).get("findings", ())] or ["7F3K"]
    said = stage.filled({"command": ["undo", known[0]], "by": _ADMIN}, who)
    return signing.invoke(stage, who.name, said)


def _for_another_command(stage: Stage, who: Attacker) -> Any:
    """An administrator's proof for one command, sent along with another."""
    return signing.invoke(stage, who.name, signing.request(stage, "admin", "resume") | {"command": list(_PAUSE)})


def _again(stage: Stage, who: Attacker) -> Any:
    """An administrator's command, and the very same once more."""
    asked = signing.request(stage, "admin", "resume")
    signing.invoke(stage, "admin", asked)
    return signing.invoke(stage, who.name, asked)


def _of_another_account(stage: Stage, who: Attacker) -> Any:
    """Signed by the root user of an account of the attacker's own."""
    return signing.invoke(stage, who.name, signing.request(stage, _OTHER_ACCOUNT, *_PAUSE))


def _ones_own(stage: Stage, who: Attacker) -> Any:
    """Signed with the attacker's own keys: he is who he says."""
    return signing.invoke(stage, who.name, signing.request(stage, who.name, *_PAUSE))


def _exempted(stage: Stage, _who: Attacker) -> Any:
    return signing.invoke(stage, "admin", signing.request(stage, "admin", *_EXEMPT))


STORIES = (
    Attack("everything exempted in an administrator's name", INVOKER, (_typed(*_EXEMPT),), _UNPROVEN),
    Attack("the week of grace ended in an administrator's name", INVOKER, (_typed("enforce", "--yes"),), _UNPROVEN),
    Attack("all repairs paused in an administrator's name", INVOKER, (_typed(*_PAUSE),), _UNPROVEN),
    Attack(
        "a repair undone in an administrator's name",
        INVOKER,
        (Deed("undo of a finding, by a forged name", _undo_any),),
        _UNPROVEN,
    ),
    Attack(
        "somebody suspended in an administrator's name",
        INVOKER,
        (_typed("suspend", "user/olga", "--reason", "noisy"),),
        _UNPROVEN,
    ),
    Attack(
        "the dead letters sent around again in an administrator's name",
        INVOKER,
        (_typed("redrive"),),
        _UNPROVEN,
    ),
    Attack(
        "a proof that was made up, to have another host asked",
        INVOKER,
        (
            _typed(
                *_PAUSE, proof="k8s-aws-v1.aHR0cHM6Ly9zdHMuZXZpbC5leGFtcGxlLw", nonce="00000000000000000000000000000000"
            ),
        ),
        _UNPROVEN,
    ),
    Attack(
        "an administrator's proof of another command",
        INVOKER,
        (Deed("pause, with the proof of resume", _for_another_command),),
        _UNPROVEN,
    ),
    Attack(
        "an administrator's command, sent once more",
        INVOKER,
        (Deed("resume, and the same request again", _again),),
        Prevented("the function that answers: a proof counts once"),
    ),
    Attack(
        "a proof of another account",
        INVOKER,
        (Deed("pause, signed by the root user of another account", _of_another_account),),
        _UNPROVEN,
    ),
    Attack(
        "a command in one's own name, by one who may invoke the function and is no operator",
        INVOKER,
        (Deed("pause, signed with his own keys", _ones_own),),
        _NO_OPERATOR,
    ),
    Attack(
        "a command in one's own name, by one whom the guard holds",
        POWER,
        (Deed("pause, signed with his own keys", _ones_own),),
        Prevented("the guard, which lets nobody invoke the function that answers"),
    ),
    Attack(
        "an administrator made after an operator has exempted everything",
        IAM_FULL,
        (blow("iam", "attach_user_policy", UserName="<my-name>", PolicyArn=ADMINISTRATOR),),
        Told(Way.EVENT, ("<my-name>", "administrator")),
        before=(Deed("exempt '*' --control all, by an administrator", _exempted),),
    ),
)

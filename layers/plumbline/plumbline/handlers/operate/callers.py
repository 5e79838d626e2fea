"""Who typed a command that changes something: proven by STS, allowed by the account, and told of where he is not."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from plumbline.alerts import decisions, wording
from plumbline.core.errors import AwsRefusal, NotReached
from plumbline.handlers.operate import operators, proof
from plumbline.handlers.operate.asked import Asked, Refused
from plumbline.handlers.operate.proof import Unproven

#: How many of those who may not command are told of in a day, each once: whoever tries must not flood anybody.
_MOST_TOLD = 5
_A_DAY = timedelta(days=1)
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")


class NotAllowed(Refused):
    """Whoever typed a command is known, and may not."""


def proven(asked: Asked, words: Sequence[str], token: Any, nonce: Any) -> Asked:  # noqa: ANN401 -- whoever invokes sent them
    """The same question with the caller's proven ARN, after his proof has been used up.

    Args:
        asked: what is asked.
        words: the command as it was received, whole.
        token: the proof received.
        nonce: the number received.

    Raises:
        Unproven: the proof is none, or none for this; nothing was done.
        NotAllowed: who typed it is proven, and may not command Plumbline; told to him and, within bounds, by e-mail.
        AwsRefusal: what decides whether he may cannot be read; nothing was done.
        LedgerDown: whether the proof was used cannot be written down; nothing was done.
    """
    found = proof.checked(asked.place, words, token, nonce, now=asked.now)
    if asked.connections.sts is None:
        raise Unproven("STS cannot be asked here who types this, so nothing was done")
    try:
        caller = asked.connections.sts.identity(found.url, found.headers)
    except NotReached as error:
        raise Unproven(
            f"STS could not be asked who types this ({error.code}), so nothing was done. Type the same again."
        ) from error
    except AwsRefusal as error:
        raise Unproven(_not_taken(error.code)) from error
    if not asked.plumbline.ledger.once(found.used, now=asked.now, within=proof.TAKEN_FOR):
        raise Unproven(
            "this proof was used before, and each counts once. If it was not you, somebody sent what you typed once "
            "more, in vain. To do it again, type it again."
        )
    if caller.account != asked.account:
        _refuse(
            asked, words, caller.arn, f"it is of account {wording.clean(caller.account, 20)}, not of {asked.account}"
        )
    stands = operators.standing(asked, caller.arn)
    if stands.why_not:
        _refuse(asked, words, caller.arn, stands.why_not)
    return replace(asked, by=caller.arn)


def _not_taken(code: str) -> str:
    if code in _EXPIRED:
        return f"AWS does not take the proof ({code}): your sign-in has ended. Sign in and type the same again."
    return (
        f"AWS does not take the proof for this command ({code}): it was made for another command, or by keys that are "
        "no longer good. Type the same again."
    )


def _refuse(asked: Asked, words: Sequence[str], arn: str, why: str) -> None:
    """Tell him, and whoever gets alerts.

    Raises:
        NotAllowed: always.
    """
    who = hashlib.sha256(arn.encode()).hexdigest()[:16]
    ledger, now = asked.plumbline.ledger, asked.now
    if ledger.once(f"refused#{who}", now=now, within=_A_DAY):
        free = (
            n for n in range(1, _MOST_TOLD + 1) if ledger.once(f"refused#{now:%Y-%m-%d}#{n}", now=now, within=_A_DAY)
        )
        number = next(free, None)
        if number is not None:
            sender = asked.plumbline.engine.deployment.sender
            asked.tell(decisions.refused(words, arn, why, sender, last=number == _MOST_TOLD))
    raise NotAllowed(
        f"{wording.clean(arn, 200)} may not command Plumbline, because {why}. Nothing was done. An administrator can "
        "name it under `operators` in baseline.yaml, or attach the stack's OperatorPolicy where nobody is."
    )

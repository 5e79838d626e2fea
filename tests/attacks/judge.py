"""Plays a story and says what is wrong with how it ended: by the mailbox, by AWS's refusals, by what has changed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local.embedded import Mail
from tests.attacks import house, silence
from tests.attacks.attack import Attack, Attacker, Blow, Open, Prevented, Told, Verdict, Way
from tests.attacks.house import House
from tests.attacks.house.facet import Difference
from tests.attacks.stage import OWNER, Landed, Stage

#: What AWS says when it does not let somebody; no other error is a refusal.
REFUSALS = frozenset(
    {
        "AccessDenied", "AccessDeniedException", "AuthorizationError", "NotAuthorizedForSourceException",
        "UnauthorizedOperation",
    }
)  # fmt: skip
#: What Plumbline itself changes in answer to what is put back, and how often that is put back as well.
_ANSWERED, _TRIES = ("decision", "person", "rule"), 3
#: Seconds until nobody was told, where Plumbline is still at work: what is promised within a minute comes in one.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a story ended.

    Attributes:
        wrong: what is not as the story says, in sentences; none where it held.
        seconds: how long until the owner was told; None where the verdict is that nobody needs to be.
        left: what could not be put back afterwards.
    """

    wrong: Sequence[str]
    seconds: float | None
    left: str


def play(stage: Stage, attack: Attack, before: House) -> Outcome:
    """Play a story in a house that is as it should be, and leave it so.

    Args:
        stage: where.
        attack: the story.
        before: the house as it is, which is put back afterwards.
    """
    stage.an_hour_passes()
    began_with = len(stage.calls())
    for each in attack.before:
        landed = stage.strike(each, attack.who, as_="admin")
        assert not landed.refused, f"{attack.name}: could not be prepared: {each} was refused: {landed.refused}"
    if attack.before:
        stage.quiet()
    prepared = _seen(stage, before, began_with) if attack.before else before
    # With the rights he has, not with those he takes.
    could = list(silence.silenced(stage, attack.who, attack.verdict.way)) if isinstance(attack.verdict, Told) else []
    heard, calls, began = len(stage.mail()), len(stage.calls()), time.monotonic()
    landed_all = [stage.strike(each, attack.who) for each in attack.blows]
    seconds: float | None = None
    match attack.verdict:
        case Prevented():
            wrong = list(_refused(landed_all))
            if wrong:
                stage.quiet()
        case Told() as told:
            wrong, seconds = _told(stage, attack, told, heard, began)
            wrong += could
        case Open(told=told):
            wrong = list(_unguarded(stage, attack.who))
            if told is not None:
                more, seconds = _told(stage, attack, told, heard, began)
                wrong += more
    # Where nobody was let write anything, all is as it was; the last test of the suite looks once more.
    quick = isinstance(attack.verdict, Prevented) and not stage.was_written_to(calls)
    now = prepared if quick else _seen(stage, prepared, calls)
    wrong += _changed(attack.verdict, now.differences(prepared))
    if attack.check is not None and not wrong:
        try:
            attack.check(stage)
        except AssertionError as error:
            wrong.append(str(error))
    return Outcome(wrong, seconds, _cleaned(stage, before, now))


def _seen(stage: Stage, before: House, since: int) -> House:
    """The house as it is now: only what may have been changed after so many calls is read once more."""
    return before.again(stage.client, house.kinds(stage.written(since)))


def _cleaned(stage: Stage, before: House, now: House) -> str:
    """Put the house back; what is left, in words."""
    for _ in range(_TRIES):
        differences = now.differences(before)
        if not differences:
            return ""
        house.put_back(stage.client, before, now)
        stage.quiet()
        # Whoever is given something back wakes Plumbline, which may take it.
        now = now.again(stage.client, [*_ANSWERED, *(kind for kind, *_ in differences)])
    return house.in_words(now.differences(before))


def _changed(verdict: Verdict, differences: Sequence[Difference]) -> Iterator[str]:
    """What is wrong with what has changed."""
    told = verdict.told if isinstance(verdict, Open) else verdict
    if differences and (isinstance(told, Prevented) or (isinstance(told, Told) and told.mended)):
        what = "was not prevented" if isinstance(told, Prevented) else "was not put back"
        yield f"something has changed, and {what}:\n{house.in_words(differences)}"


def _refused(landed: Sequence[Landed]) -> Iterator[str]:
    """What is wrong with what was to be refused."""
    for one in landed:
        called = _in_words(one)
        if not one.refused:
            yield f"{called} was not refused"
        elif one.refused not in REFUSALS and not one.refused.startswith("Plumbline: "):
            yield f"{called} failed with {one.refused}, which is no refusal"


def _told(stage: Stage, attack: Attack, told: Told, heard: int, began: float) -> tuple[list[str], float | None]:
    """Whether the owner was told, and how soon. No clock is waited for: a look or a sweep is started."""
    if told.way in (Way.HOUSE, Way.SWEEP):
        stage.quiet(seconds=_PATIENCE)
        stage.tick(told.way)
    elif told.way is Way.ALARM:
        stage.alarm(told.says[0])
    found: list[Mail] = []

    def arrived() -> bool:
        found[:] = [one for one in stage.mail()[heard:] if _fits(one, told, stage, attack.who)]
        return bool(found)

    # What came and went is told once AWS must show what it knows, and a queue has it in hand until then.
    held = (0.0, _PATIENCE, _PATIENCE) if told.way is Way.EVENT else ()
    stage.quiet(arrived, seconds=_PATIENCE, held=held)
    if not found:
        came = [f"{one.topic.rpartition(':')[2]}: {one.subject}" for one in stage.mail()[heard:] if one.to == OWNER]
        return [f"no e-mail by {told.way.words} names {', '.join(told.says)}; what came is {came}"], None
    seconds = time.monotonic() - began
    if told.mended:
        stage.quiet()
    return [], seconds


def _fits(mail: Mail, told: Told, stage: Stage, who: Attacker) -> bool:
    text = " ".join(f"{mail.subject}\n{mail.text}".split())
    by = mail.topic.endswith(f"-{told.way.topic}") if told.way.topic else True
    return mail.to == OWNER and by and all(re.search(stage.filled(one, who), text) for one in told.says)


def _unguarded(stage: Stage, who: Attacker) -> Iterator[str]:
    """What is wrong with how an attacker whom nothing holds is known: a critical finding, told when it was seen.

    Whom the baseline trusts is none.
    """
    if who.trusted:
        return
    answer = stage.invoke("plumbline-operate", {"command": ["findings", "--control", "house-guard"]})
    found = (answer.get("data") or {}).get("findings", ()) if isinstance(answer, dict) else ()
    mine = [one for one in found if who.name in one.get("target", "")]
    if not any(one.get("severity") == "critical" for one in mine):
        yield f"{who.name} is unguarded, and no critical finding says so"
    if not any(who.name in one.text and one.to == OWNER for one in stage.mail()):
        yield f"{who.name} is unguarded, and nobody was told"


def _in_words(landed: Landed) -> str:
    each = landed.blow
    return f"{each.service} {each.operation}" if isinstance(each, Blow) else each.words

"""Messages on the wakes queue: CloudTrail events as EventBridge delivers them, and wakes the sweep or a person sends.

A wake says "look at this target with this control now" and nothing more: what is judged is read afresh.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from plumbline.core.cause import Cause, Event, Origin
from plumbline.core.control import Control, On, is_of_trail, spellings
from plumbline.core.errors import MalformedWake, UnknownTarget
from plumbline.core.targets import State, Target
from plumbline.wakes import cloudtrail

#: Event -> the ids of the controls that it may wake.
Concerned = Callable[[Event], Iterable[str]]
#: How the source of AWS's own events begins. PutEvents takes no such source from anybody.
AWS = "aws."
_MARK = "plumbline-wake"
_TASK = "plumbline-task"
_SHOWN = 120
#: Characters of an event that fits into a message of ours, beside nine others in a batch of 256 KiB, which is the least
#: that SQS has ever taken.
_MOST_ASKED = 20_000


@dataclass(frozen=True, slots=True)
class Wake:
    """Look at this target with this control now.

    Attributes:
        control: the control's id.
        target: what to look at; a pattern makes the control look for its targets itself.
        origin: what made Plumbline look.
        cause: who did what, where an event announced it.
        evidence: for controls that only events can tell about, what the event showed.
        event: the record of the event itself, for controls that tell of what came and went.
        asked: the message that was about this target without naming it; AWS's own event says who did what.
    """

    control: str
    target: Target
    origin: Origin
    cause: Cause = field(default_factory=Cause)
    evidence: State = None
    event: Event | None = field(default=None, compare=False, repr=False)
    asked: str = field(default="", compare=False, repr=False)

    def to_json(self) -> str:
        """The message body; `read` understands it."""
        said = {
            _MARK: 1,
            "control": self.control,
            "target": str(self.target),
            "origin": self.origin.value,
            "cause": self.cause.to_json(),
        }
        # An event hardly ever is too large for a message of ours; then the target is looked at as a sweep found it.
        is_told = self.origin is Origin.EVENT and 0 < len(self.asked) < _MOST_ASKED
        return json.dumps(said | ({"asked": self.asked} if is_told else {}))


class Task(str, Enum):
    """Something to do for the account as a whole, asked for by the sweep or by a schedule."""

    DIGEST = "digest"  # tell, in one alert, what waits for it
    WEEKLY = "weekly"  # the weekly summary
    EXEMPTIONS = "exemptions"  # tell of exemptions that end soon, or have ended; ask about suspensions
    UNHEARD = "unheard"  # tell whoever still can be told that nobody hears alerts

    def to_json(self) -> str:
        """The message body; `task` understands it."""
        return json.dumps({_TASK: self.value})


def task(body: str) -> Task | None:
    """The task that a message asks for; None when it is no task.

    Raises:
        MalformedWake: it is one that does not exist.
    """
    try:
        message = json.loads(body)
    except ValueError:
        return None
    if not isinstance(message, Mapping) or _TASK not in message:
        return None
    try:
        return Task(message[_TASK])
    except ValueError as error:
        raise MalformedWake(f"the message asks for a task that does not exist: {body[:_SHOWN]!r}") from error


def read(
    body: str,
    controls: Mapping[str, Control],
    concerned: Concerned | None = None,
    renamed: Mapping[str, str] | None = None,
    account: str = "",
) -> tuple[Wake, ...]:
    """The wakes that a message asks for; none when the event concerns no control, or another account.

    Args:
        body: the SQS message's body.
        controls: all controls by id.
        concerned: event -> the ids of the controls that it may wake, so that no other need be imported; every control
            is asked when None.
        renamed: earlier id of a control -> the one it has today: a wake may have waited through a deployment.
        account: whose events wake; anybody's when empty. An organisation's bus carries those of all its members.

    Raises:
        MalformedWake: the body is neither an EventBridge event nor a wake; says why.
    """
    try:
        message = json.loads(body)
    except ValueError as error:
        raise MalformedWake(f"the message is no JSON ({error}): {body[:_SHOWN]!r}") from error
    if not isinstance(message, Mapping):
        raise MalformedWake(f"the message is JSON but no object: {body[:_SHOWN]!r}")
    if _MARK in message:
        own = _own(message, controls, renamed or {})
        return (_announced(own, message.get("asked"), controls, account),)
    return _of_event(message, body, controls, concerned, account)


def _of_event(
    message: Mapping[str, Any], body: str, controls: Mapping[str, Control], concerned: Concerned | None, account: str
) -> tuple[Wake, ...]:
    if not isinstance(message.get("detail-type"), str) or not isinstance(message.get("detail"), Mapping):
        raise MalformedWake(f"the message is neither a wake nor an EventBridge event: {body[:_SHOWN]!r}")
    if account and not _is_of(message, account):
        return ()
    asked = controls if concerned is None else {name: controls[name] for name in concerned(message)}
    return tuple(from_event(message, asked))


def _is_of(event: Event, account: str) -> bool:
    """Whether an event happened in an account: by its envelope, which only AWS writes, and by its record."""
    return event.get("account") == account and cloudtrail.account(event["detail"]) in ("", account)


def detail_of(event: Event) -> Event:
    """The detail of an event, with where it happened, which the envelope says where a record does not.

    It never says so of some sign-ins, and what a service puts onto EventBridge itself is no record at all.
    """
    detail: Event = event["detail"]
    if not cloudtrail.account(detail):
        detail = {**detail, "recipientAccountId": event.get("account")}
    return detail if is_of_trail(str(event.get("detail-type"))) else {**detail, "awsRegion": event.get("region")}


def from_event(event: Event, controls: Mapping[str, Control]) -> Iterator[Wake]:
    """The wakes of one EventBridge event, once for each control and target."""
    detail = detail_of(event)
    cause = cloudtrail.cause(detail) if is_of_trail(str(event.get("detail-type"))) else _told_by(event)
    seen: set[tuple[str, Target]] = set()
    for control in controls.values():
        for on in control.wakes_on:
            if not concerns(on, event):
                continue
            for target in on.locate(detail):
                if (control.id, target) not in seen:
                    seen.add((control.id, target))
                    evidence = control.witness(detail) if control.witness else None
                    record = detail if control.announces else None
                    yield Wake(control.id, target, Origin.EVENT, cause, evidence, record)


def _told_by(event: Event) -> Cause:
    """What a service tells of what it found: not whose deed it was."""
    kind, source, at, own = (str(event.get(name) or "") for name in ("detail-type", "source", "time", "id"))
    service = f"{source.removeprefix(AWS)}.amazonaws.com"
    return Cause(
        action=kind,
        who="not known: AWS tells what it found, and not who did it",
        at=at,
        event_id=own,
        source=service,
        service=service,
    )


def concerns(on: On, event: Event) -> bool:
    """Whether an event is AWS's own and of the kind that `on` names: the rules share one queue.

    A call that failed changed nothing, so it concerns only those who ask for it.
    """
    detail = event["detail"]
    return (
        matches(on.match, detail)
        and str(event.get("source")).startswith(AWS)
        and event.get("detail-type") in spellings(on.detail_type)
        and (
            not on.source
            or on.source == (detail.get("eventSource") if is_of_trail(on.detail_type) else event["source"])
        )
        and (not on.names or detail.get("eventName") in on.names)
        and (on.reads_too or detail.get("readOnly") is not True)
        and (on.failed_too or not detail.get("errorCode"))
    )


def matches(pattern: Mapping[str, Any], detail: Event) -> bool:
    """Whether an event has what a part of an event pattern asks for, as EventBridge judges it.

    Only what controls use is understood: texts, `exists` and `anything-but` one text, in any of several alternatives;
    and `$or`. Of a list that an event has, one text is enough.

    Source: Amazon EventBridge user guide, event patterns, comparison operators, arrays in event patterns.
    """
    return all(
        any(matches(one, detail) for one in wanted)
        if name == "$or"
        else matches(wanted, cloudtrail.section(detail.get(name)))
        if isinstance(wanted, Mapping)
        else any(_fits(one, detail, name) for one in wanted)
        for name, wanted in pattern.items()
    )


def _fits(wanted: Any, detail: Event, name: str) -> bool:  # noqa: ANN401 - a text or an operator
    if not isinstance(wanted, Mapping):
        found = detail.get(name)
        return wanted in found if isinstance(found, list) else bool(found == wanted)
    if "exists" in wanted:
        return (name in detail) is wanted["exists"]
    return name in detail and detail[name] != wanted["anything-but"]


def _claimed(origin: Origin) -> Origin:
    """What a message may say of where it comes from. That AWS announced something, only AWS's own event says."""
    return origin if origin is Origin.ADOPTION else Origin.SWEEP


def _announced(wake: Wake, asked: object, controls: Mapping[str, Control], account: str) -> Wake:
    """A wake as the event announced it that was about its target without naming it; as it is where there is none.

    The event comes with it and is read like any other: a wake may not say more of itself for that.
    """
    if wake.origin is Origin.ADOPTION or not isinstance(asked, str):
        return wake
    try:
        event = json.loads(asked)
        found = _of_event(event, asked, {wake.control: controls[wake.control]}, None, account)
    except (ValueError, AttributeError, MalformedWake):
        return wake
    about = (one for one in found if one.target.is_pattern and one.target.covers(wake.target))
    return next((replace(one, target=wake.target) for one in about), wake)


def _own(message: Mapping[str, Any], controls: Mapping[str, Control], renamed: Mapping[str, str]) -> Wake:
    try:
        wake = Wake(
            control=renamed.get(message["control"], message["control"]),
            target=Target.parse(message["target"]),
            origin=_claimed(Origin(message["origin"])),
            cause=Cause.from_json(cloudtrail.section(message.get("cause"))),
        )
    except (KeyError, ValueError, TypeError, UnknownTarget, AttributeError) as error:
        raise MalformedWake(f"the wake cannot be read ({type(error).__name__}: {error})") from error
    if wake.control not in controls:
        raise MalformedWake(f"the wake names a control that does not exist: {str(wake.control)[:_SHOWN]!r}")
    return wake

"""Targets with their states: one afresh, or all of a control, for the sweep, the preview, and events that name none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from plumbline.baseline.rules import Rule
from plumbline.core.calls import Ask
from plumbline.core.control import Control, Deviation, Settings
from plumbline.core.errors import AwsRefusal, ControlMistake, PlumblineError
from plumbline.core.targets import State, Target
from plumbline.ports import Aws, Eyes
from plumbline.wakes.messages import Wake


def observed(aws: Aws, control: Control, wake: Wake) -> State:
    """The target of a wake as it is now; what the event showed, where only events can tell.

    Raises:
        AwsRefusal: AWS would not show it, and it is still there; or the control failed (ControlMistake).
    """
    if control.witness or control.observe is None:
        return wake.evidence
    return look_at(control, aws.eyes(wake.target.account, wake.target.region), wake.target)


def look_at(control: Control, ask: Ask, target: Target) -> State:
    """One target as it is now.

    Raises:
        AwsRefusal: AWS would not show it; ControlMistake where the control itself failed.
    """
    assert control.observe is not None  # noqa: S101 -- for the type checker; what only events tell is not asked for
    with _mistakes(control):
        return control.observe(ask, target)


def judged(control: Control, state: State, settings: Settings) -> Deviation | None:
    """What is wrong with a state.

    Raises:
        ControlMistake: the control failed over what it was shown.
    """
    with _mistakes(control):
        return control.detect(state, settings)


@contextmanager
def _mistakes(control: Control) -> Iterator[None]:
    """What goes wrong in a control leaves its target unseen; it is told like a refusal, and the others go on."""
    try:
        yield
    except PlumblineError:
        raise
    except Exception as error:
        raise ControlMistake(control.id, error) from error


@dataclass(frozen=True, slots=True)
class Survey:
    """What a control saw of its targets.

    Attributes:
        states: each target with its state.
        unreadable: targets that AWS would not show; one of them never hides the others.
        missed: what has a finding and was in no list, as it was when it was looked at by itself; or the refusal.
    """

    states: Mapping[Target, State]
    unreadable: tuple[Target, ...] = ()
    missed: Mapping[Target, State | AwsRefusal] = field(default_factory=dict)


def survey(control: Control, ask: Ask, leaves_alone: Callable[[Target], bool] = lambda _target: False) -> Survey:
    """Every target of a control with its state, in bulk where the control offers it.

    Args:
        control: what to look with.
        ask: the eyes.
        leaves_alone: which targets nobody has to know the state of; no read is spent on them, where each takes its own.

    Raises:
        AwsRefusal: the targets could not even be listed; ControlMistake where the control failed over that.
    """
    if control.survey is not None:
        with _mistakes(control):
            return Survey(control.survey(ask))
    states: dict[Target, State] = {}
    unreadable: list[Target] = []
    if control.find is not None:
        for target in listed(control, ask):
            if control.glance is None and leaves_alone(target):
                continue
            try:
                states.update(_seen(control, ask, target))
            except AwsRefusal:
                if target.is_pattern:  # a part of the list
                    raise
                unreadable.append(target)
    return Survey(states, tuple(unreadable))


def _seen(control: Control, ask: Ask, target: Target) -> Mapping[Target, State]:
    """What a control shows of one thing that it lists.

    Raises:
        AwsRefusal: AWS would not show it; ControlMistake where the control itself failed.
    """
    if control.glance is None:
        return {target: look_at(control, ask, target)}
    with _mistakes(control):
        return control.glance(ask, target)


def goes_one_by_one(control: Control) -> bool:
    """Whether a control lists its targets and reads each by itself, so that a look at them can be cut anywhere."""
    return control.survey is None and control.find is not None and control.observe is not None


def listed(control: Control, ask: Ask) -> list[Target]:
    """The targets of a control that goes one by one.

    Raises:
        AwsRefusal: they could not be listed; ControlMistake where the control failed over that.
    """
    assert control.find is not None  # noqa: S101 -- for the type checker: see `goes_one_by_one`
    with _mistakes(control):
        return list(control.find(ask))


@dataclass(frozen=True, slots=True)
class Visit:
    """One control's look at one target.

    Attributes:
        listed: whether the control lists it; else it has a finding, and was deleted, or the list is old.
    """

    control: Control
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Along:
    """What some controls saw of the first of some targets.

    Attributes:
        seen: of each control, by its id.
        broken: what went wrong in a control itself, by its id; or AWS's refusal of what is a part of its list.
        count: how many of the targets were looked at, before time ran out.
    """

    seen: Mapping[str, Survey]
    broken: Mapping[str, Exception]
    count: int


def look_along(
    whose: Mapping[Target, Sequence[Visit]], eyes: Eyes, more: Callable[[], bool], *, at_once: int = 1
) -> Along:
    """Look at targets one by one, each with all controls that are about it, which share what they read of it.

    Args:
        whose: target -> the looks at it, in order.
        eyes: what is read about one target is forgotten with it, but by controls that glance: they share their reads
            with controls of other targets.
        more: whether there is time for one more target.
        at_once: how many targets are looked at at a time.
    """

    def look(target: Target) -> list[tuple[Visit, Mapping[Target, State], Exception | None]]:
        about = eyes.about(target)
        return [(one, *_tried(one, eyes if one.control.glance else about, target)) for one in whose[target]]

    states: dict[str, dict[Target, State]] = {one.control.id: {} for visits in whose.values() for one in visits}
    missed: dict[str, dict[Target, State | AwsRefusal]] = {one: {} for one in states}
    unreadable: dict[str, list[Target]] = {one: [] for one in states}
    broken: dict[str, Exception] = {}
    found = eyes.many(look, list(whose), more, at_once)
    for target, answers in zip(whose, found, strict=False):
        for visit, seen, error in answers:
            name = visit.control.id
            if error is not None and (target.is_pattern or not isinstance(error, AwsRefusal)):
                broken[name] = error
            elif not visit.listed:
                missed[name][target] = error or seen[target]
            elif error is not None:
                unreadable[name].append(target)
            else:
                states[name].update(seen)
    return Along({one: Survey(states[one], tuple(unreadable[one]), missed[one]) for one in states}, broken, len(found))


def _tried(visit: Visit, ask: Ask, target: Target) -> tuple[Mapping[Target, State], Exception | None]:
    try:
        seen = _seen(visit.control, ask, target) if visit.listed else {target: look_at(visit.control, ask, target)}
    except Exception as error:  # noqa: BLE001 -- one control's mistake must not hide what the others see
        return {}, error
    return seen, None


def sorted_out(control: Control, rule: Rule, seen: Survey) -> tuple[list[Target], list[Target]]:
    """The targets that deviate; and those that AWS, or a mistake of the control, leaves unjudged."""
    deviating: list[Target] = []
    unjudged = [one for one in seen.unreadable if not is_excepted(control, rule, one)]
    for target, state in seen.states.items():
        try:
            if judged(control, state, rule.settings):
                deviating.append(target)
        except AwsRefusal:
            unjudged.append(target)
    return deviating, unjudged


def is_excepted(control: Control, rule: Rule, target: Target) -> bool:
    """Whether the settings leave a target alone by its name."""
    return control.excepted is not None and not target.is_pattern and control.excepted(target, rule.settings)

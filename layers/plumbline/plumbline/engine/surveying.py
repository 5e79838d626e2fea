"""Targets with their states: one afresh, or all of a control, for the sweep, the preview, and events that name none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

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
    """

    states: Mapping[Target, State]
    unreadable: tuple[Target, ...] = ()


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
    if control.find is not None and control.observe is not None:
        for target in listed(control, ask):
            if leaves_alone(target):
                continue
            try:
                states[target] = look_at(control, ask, target)
            except AwsRefusal:
                unreadable.append(target)
    return Survey(states, tuple(unreadable))


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
class Along:
    """What some controls saw of the first of some targets.

    Attributes:
        seen: of each control, by its id.
        broken: what went wrong in a control itself, by its id.
        count: how many of the targets were looked at, before time ran out.
    """

    seen: Mapping[str, Survey]
    broken: Mapping[str, Exception]
    count: int


def look_along(
    whose: Mapping[Target, Sequence[Control]], eyes: Eyes, more: Callable[[], bool], *, at_once: int = 1
) -> Along:
    """Look at targets one by one, each with all controls that are about it, which share what they read of it.

    Args:
        whose: target -> the controls that look at it, in order.
        eyes: what is read about one target is forgotten with it.
        more: whether there is time for one more target.
        at_once: how many targets are looked at at a time.
    """

    def look(target: Target) -> list[tuple[Control, State, Exception | None]]:
        about = eyes.about(target)
        return [(control, *_tried(control, about, target)) for control in whose[target]]

    states: dict[str, dict[Target, State]] = {one.id: {} for controls in whose.values() for one in controls}
    unreadable: dict[str, list[Target]] = {one: [] for one in states}
    broken: dict[str, Exception] = {}
    found = eyes.many(look, list(whose), more, at_once)
    for target, answers in zip(whose, found, strict=False):
        for control, state, error in answers:
            if error is None:
                states[control.id][target] = state
            elif isinstance(error, AwsRefusal):
                unreadable[control.id].append(target)
            else:
                broken[control.id] = error
    return Along({one: Survey(states[one], tuple(unreadable[one])) for one in states}, broken, len(found))


def _tried(control: Control, ask: Ask, target: Target) -> tuple[State, Exception | None]:
    try:
        return look_at(control, ask, target), None
    except Exception as error:  # noqa: BLE001 -- one control's mistake must not hide what the others see
        return None, error


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

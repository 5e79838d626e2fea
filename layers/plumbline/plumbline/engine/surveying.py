"""Targets with their states: one afresh, or all of a control, for the sweep, the preview, and events that name none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from plumbline.core.calls import Ask
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import State, Target
from plumbline.ports import Aws
from plumbline.wakes.messages import Wake


def observed(aws: Aws, control: Control, wake: Wake) -> State:
    """The target of a wake as it is now; what the event showed, where only events can tell.

    Raises:
        AwsRefusal: AWS would not show it.
    """
    if control.witness or control.observe is None:
        return wake.evidence
    return control.observe(aws.eyes(wake.target.account, wake.target.region), wake.target)


@dataclass(frozen=True, slots=True)
class Survey:
    """What a control saw of its targets.

    Attributes:
        states: each target with its state.
        unreadable: targets that AWS would not show; one of them never hides the others.
    """

    states: Mapping[Target, State]
    unreadable: tuple[Target, ...] = ()


def survey(control: Control, ask: Ask) -> Survey:
    """Every target of a control with its state, in bulk where the control offers it.

    Raises:
        AwsRefusal: the targets could not even be listed.
    """
    if control.survey is not None:
        return Survey(control.survey(ask))
    states: dict[Target, State] = {}
    unreadable: list[Target] = []
    if control.find is not None and control.observe is not None:
        for target in control.find(ask):
            try:
                states[target] = control.observe(ask, target)
            except AwsRefusal:
                unreadable.append(target)
    return Survey(states, tuple(unreadable))

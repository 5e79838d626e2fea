"""Every target of a control with its state, for the sweep, the preview, and events that name none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from plumbline.core import Ask, AwsRefusal, Control, State, Target


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

"""What the eyes and the hands role may do: the controls' declared reads and writes, in as many policies as they need.

Of the writes only those that take rights away or tighten: what gives some stands with the giving hands, or with nobody
(see `core.giving`), and what puts Plumbline's own parts back with the house hands.

A control stands in one policy, whole: it can never see or repair by halves. Within a policy an action stands once; what
several controls of it ask for is in its last statement, and a comment of the template says for whom. Between policies
an action may repeat, which costs characters and nothing else. Each control goes where it adds the fewest characters,
so that those which share actions meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plumbline.core import giving
from plumbline.core.control import Control
from tests.generating.packing import CannotBePacked, characters, room

#: Characters of a managed policy, and managed policies of a role, by default. Source: IAM and STS quotas.
LONGEST, MOST = 6144, 10
#: The statement of what several controls ask for. (A Sid takes letters and digits only, so it cannot name them.)
SHARED = "SeveralControls"
Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Role:
    """One of the two roles whose policies follow from the controls.

    Attributes:
        name: as its policies are called: `eyes`, so `EyesPolicy` and `plumbline-eyes`.
        kind: the attribute of a control that declares its actions: `reads` or `writes`.
        first: the statements that stand in its first policy before those of the controls, as deployed.
    """

    name: str
    kind: str
    first: tuple[Statement, ...] = ()

    @property
    def title(self) -> str:
        """The logical id of the first policy; later ones have a number behind it."""
        return f"{self.name.capitalize()}Policy"

    def actions(self, control: Control) -> frozenset[str]:
        """What a control needs of this role."""
        declared: frozenset[str] = getattr(control, self.kind)
        if self.kind == "writes":
            return frozenset() if control.house else frozenset(filter(giving.is_taken, declared))
        return declared

    def policies(self, controls: Iterable[Control]) -> list[Policy]:
        """The policies of this role, in order; the first is there even where there is nothing to put into it.

        Args:
            controls: in the order in which they are placed; see `by_arrival`.

        Raises:
            CannotBePacked: a control alone is too long for a policy, or the role would hold more than AWS attaches.
        """
        packed = [Policy(self, self.first)]
        for control in controls:
            if not self.actions(control):
                continue
            grown = {place: one.with_one_more(control) for place, one in enumerate(packed)}
            fitting = {place: one for place, one in grown.items() if one.size <= room(LONGEST)}
            if fitting:
                place = min(fitting, key=lambda place: fitting[place].size - packed[place].size)
                packed[place] = fitting[place]
            else:
                packed.append(self._another(control, len(packed)))
        return packed

    def _another(self, control: Control, standing: int) -> Policy:
        alone = Policy(self, controls=(control,))
        if alone.size > room(LONGEST):
            raise CannotBePacked(
                f"{control.id}: its {self.kind} alone are a policy of {alone.size:,} characters, of AWS's {LONGEST:,} "
                f"{room(LONGEST):,} may be used; let it ask for fewer actions, or make two controls of it"
            )
        if standing == MOST:
            raise CannotBePacked(
                f"{control.id}: its {self.kind} need policy number {MOST + 1} of the {self.name} role, and AWS "
                f"attaches {MOST}; let controls ask for fewer actions, or give the {self.name} a second role"
            )
        return alone


@dataclass(frozen=True)
class Policy:
    """One managed policy: what stands in it for these controls, behind what it begins with."""

    role: Role
    begins: tuple[Statement, ...] = ()
    controls: tuple[Control, ...] = field(default=())

    def with_one_more(self, control: Control) -> Policy:
        """The same with another control in it."""
        return Policy(self.role, self.begins, (*self.controls, control))

    @property
    def size(self) -> int:
        """Its characters, as AWS counts them."""
        return characters({"Version": "2012-10-17", "Statement": [*self.begins, *self.statements]})

    @property
    def statements(self) -> list[Statement]:
        """A statement for each control with an action of its own, by id, and one for what several ask for."""
        own: dict[str, list[str]] = {}
        shared: dict[tuple[str, ...], list[str]] = {}
        for action, askers in self.asked().items():
            if len(askers) == 1:
                own.setdefault(askers[0], []).append(action)
            else:
                shared.setdefault(askers, []).append(action)
        several = [action for askers in sorted(shared) for action in shared[askers]]
        return [
            *(_allow(_sid(asker), own[asker]) for asker in sorted(own)),
            *([_allow(SHARED, several)] if several else []),
        ]

    def asked(self) -> dict[str, tuple[str, ...]]:
        """Each action by name, and the ids of the controls that ask for it."""
        asked: dict[str, tuple[str, ...]] = {}
        for control in sorted(self.controls, key=lambda one: one.id):
            for action in self.role.actions(control):
                asked[action] = (*asked.get(action, ()), control.id)
        return dict(sorted(asked.items()))

    def comments(self) -> dict[str, str]:
        """What to write before an action: for whom this one, and those that follow it, are shared."""
        asked, comments, before = self.asked(), dict[str, str](), ""
        for action in next((one["Action"] for one in self.statements if one["Sid"] == SHARED), ()):
            comment = ", ".join(asked[action])
            if comment != before:
                comments[action] = before = comment
        return comments


def logical_id(role: Role, place: int) -> str:
    """The logical id of a role's first policy (place 0), second, and so on."""
    return role.title if place == 0 else f"{role.title}{place + 1}"


def _sid(control_id: str) -> str:
    return "".join(word.capitalize() for word in control_id.split("-"))


def _allow(sid: str, actions: Sequence[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": "*"}

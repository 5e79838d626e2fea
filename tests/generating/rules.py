"""The EventBridge rules: one for each kind of event that wakes a control, more where its names outgrow a pattern.

Names stay in the rule they came into, and a rule keeps its number: another kind of event, and a rule that is needed
because names outgrew one, each get the next. Every source keeps rules of its own, though some have few names: a rule
costs nothing, and says by its name what is listened to. There are a few dozen, and a bus takes 300.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from plumbline.core.control import Control, On, is_of_trail, spellings
from plumbline.wakes.messages import AWS
from tests.generating.packing import CannotBePacked, characters, room

#: Characters of an event pattern, and rules of a bus, by default. Source: EventBridge quotas.
LONGEST, MOST = 2048, 300
RuleKey = tuple[str, str, str, bool, bool]


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        key: the kind of event; see `rule_key`.
        number: 1 for the first of its title.
        names: of the events; empty for any.
    """

    key: RuleKey
    number: int
    names: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What its logical id begins with and its name is made of: the service, in one word."""
        return _title(self.key)

    @property
    def logical_id(self) -> str:
        """`IamRule`, `IamRule2`, and so on."""
        return f"{self.title}Rule{self._suffix()}"

    @property
    def name(self) -> str:
        """As AWS shows it behind the stack's name: `iam`, `iam-2`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", self.title).lower() + self._suffix("-")

    @property
    def pattern(self) -> dict[str, Any]:
        """Its event pattern. A call that failed changed nothing, so it wakes only who asks for it.

        The source is what makes an event AWS's own: everything else in it can be written by whoever may call PutEvents.
        """
        detail_type, source, match, _, failed_too = self.key
        if not is_of_trail(detail_type):
            return {"source": [source], "detail-type": [detail_type], "detail": json.loads(match)}
        detail: dict[str, Any] = {"eventSource": [source]} if source else {}
        if self.names:
            detail["eventName"] = sorted(self.names)
        if detail_type == "AWS API Call via CloudTrail" and not failed_too:
            detail["errorCode"] = [{"exists": False}]
        return {
            "source": [{"prefix": AWS}],
            "detail-type": [*spellings(detail_type)],
            "detail": detail | json.loads(match),
        }

    @property
    def fits(self) -> bool:
        """Whether AWS takes its pattern, with a fifth to spare."""
        return self.size <= room(LONGEST)

    @property
    def size(self) -> int:
        """The characters of its pattern as deployed: there the account stands in it, in twelve digits."""
        return characters({"account": ["1" * 12]} | self.pattern)

    def with_one_more(self, name: str) -> Rule:
        """The same with another event's name."""
        return Rule(self.key, self.number, (*self.names, name))

    def _suffix(self, before: str = "") -> str:
        return "" if self.number == 1 else f"{before}{self.number}"


def rules(controls: Iterable[Control]) -> list[Rule]:
    """The rules that wake these controls, by kind of event and number.

    Args:
        controls: in the order in which their names are placed; see `by_arrival`.

    Raises:
        CannotBePacked: a pattern is too long with a single name, or there are more rules than a bus takes.
    """
    made: list[Rule] = []
    controls = [*controls]
    heard = {(rule_key(on), name) for _, on, name in _asked(controls) if not on.match}
    for control, on, name in _asked(controls):
        # Of what a rule hears anyway, who wants some is woken by the index alone: an event comes once.
        whole = rule_key(replace(on, match={}))
        key = whole if (whole, name) in heard else rule_key(on)
        mine = [place for place, one in enumerate(made) if one.key == key and bool(one.names) == bool(name)]
        if any(name in made[place].names or not name for place in mine):
            continue
        roomy = next((place for place in mine if made[place].with_one_more(name).fits), None)
        if roomy is not None:
            made[roomy] = made[roomy].with_one_more(name)
        else:
            number = 1 + sum(one.title == _title(key) for one in made)
            made.append(Rule(key, number, (name,) if name else ()))
            _check(made, f"{control.id}: waking on {name or on.detail_type}")
    return sorted(made, key=lambda one: (one.key[:2], one.number))


def _check(made: Sequence[Rule], what: str) -> None:
    """Refuse the last rule where AWS would."""
    if not made[-1].fits:
        raise CannotBePacked(
            f"{what} takes an event pattern of {made[-1].size:,} characters, of AWS's {LONGEST:,} "
            f"{room(LONGEST):,} may be used; match fewer fields of the event"
        )
    if len(made) > room(MOST):
        raise CannotBePacked(
            f"{what} takes rule number {len(made)}, of AWS's {MOST} {room(MOST)} may be used; "
            "let sources with few names share a rule"
        )


def rule_key(on: On) -> RuleKey:
    """What two wakes must share to share a rule."""
    return (on.detail_type, on.source, json.dumps(on.match, sort_keys=True), on.reads_too, on.failed_too)


def _asked(controls: Iterable[Control]) -> Iterator[tuple[Control, On, str]]:
    """Each name that wakes a control; an empty one where any does."""
    for control in controls:
        for on in control.wakes_on:
            for name in on.names or ("",):
                yield control, on, name


def _title(key: RuleKey) -> str:
    detail_type, source, *_ = key
    if not is_of_trail(detail_type):
        return "".join(word.capitalize() for word in detail_type.split())
    service = "".join(word.capitalize() for word in (source or "root").split(".")[0].split("-"))
    return f"{service}SignIn" if "Sign In" in detail_type and service != "Signin" else service

"""The whole baseline settled together, until it is quiet: no control undoes what another has done."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from botocore.exceptions import ClientError

from plumbline.controls import registry
from plumbline.engine.case import Outcome
from tests.rig import NOW, Rig, at_once
from tests.story import stories, world

#: Sweeps after which nothing may be left to do; a second one sees what the repairs of the first have changed.
_ROUNDS = 5
#: A repair that is no deviation of its own repair: tries of one life.
_ONCE = 1


def test_every_control_at_once_comes_to_rest_and_repairs_nothing_twice() -> None:
    with world() as told:
        rig, broken = Rig(told, in_moto=True), 0
        undeclared = {one for one in registry.load() if all(each.settings for each in stories() if each.control == one)}
        for story in stories():
            if story.settings or story.rule.witness:
                continue
            try:
                story.breaks(told)
            except ClientError:  # two stories of one name do not fit into one account
                continue
            broken += 1
        assert broken > len(registry.load()) - len(undeclared), "most stories happen in this account"
        rules = {one.id: at_once(one) for one in registry.load().values() if not one.witness}
        plumbline = rig.install(rules, controls={one: registry.load()[one] for one in rules})
        repaired: Counter[tuple[str, str]] = Counter()
        writes: list[int] = []
        for number in range(_ROUNDS):
            rig.forget()
            for settled in plumbline.sweep_and_settle(now=NOW + number * timedelta(hours=2)):
                if settled.outcome in (Outcome.REPAIRED, Outcome.NOT_CONVERGED):
                    repaired[settled.wake.control, str(settled.wake.target)] += 1
            writes.append(len(rig.writes))
        assert writes[0] > len(rules) - len(undeclared), "the first sweep repairs"
        assert [0] * (_ROUNDS - 2) == writes[2:], f"it does not come to rest: {writes}"
        assert [] == [one for one, times in repaired.items() if times > _ONCE]

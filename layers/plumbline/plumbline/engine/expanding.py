"""A wake that names no target: which targets it stands for. What is little is looked at here; much is somebody else's.

An account's access block is taken away, and every bucket may be public now; a user was renamed, and which key that is
about the event does not say. What react looks through in its short time is bounded; the sweep's function looks through
the rest, in stretches (`sweep.searching`), by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from plumbline.baseline.rules import Baseline, Rule
from plumbline.core.cause import Cause, Origin
from plumbline.core.control import Control, Scope
from plumbline.core.errors import AwsRefusal, PlumblineError
from plumbline.core.targets import ALL, GLOBAL, Target
from plumbline.engine.case import Settled
from plumbline.engine.surveying import Survey, Visit, is_excepted, listed, look_along, sorted_out, survey
from plumbline.engine.unseen import Unseeing, all_of, over
from plumbline.findings.adoption import Adoption, kept_as
from plumbline.findings.budgets import Budget
from plumbline.ports import Eyes
from plumbline.wakes.messages import Wake

#: Reads that are in flight at a time.
AT_ONCE = 16


class TooMuch(PlumblineError):
    """A wake stands for more than can be looked at, or settled, in the time of who has other things to do."""


@dataclass(frozen=True, slots=True)
class Most:
    """What one look may hold that has other things to do.

    Attributes:
        looked_at: targets that are looked at one by one.
        found: targets that have to be settled.
    """

    looked_at: int
    found: int


@dataclass(frozen=True, slots=True)
class Expanding:
    """Finds the targets of a wake that names none.

    Attributes:
        baseline: what is wanted.
        home: the region that Plumbline is deployed in.
        unseeing: keeps what cannot be listed.
    """

    baseline: Baseline
    home: str
    unseeing: Unseeing

    def expand(
        self, control: Control, rule: Rule, wake: Wake, most: Most | None, now: datetime
    ) -> Sequence[Wake] | Settled:
        """The wakes that one for a pattern stands for; or what came of a list that could not be had.

        A list that cannot be had is a finding of the target that stands for it, and hides no other region.

        Args:
            control: what to look with.
            rule: what the baseline says of it.
            wake: one whose target is a pattern.
            most: what may be looked at and settled here; whatever there is when None.
            now: the time, in UTC.

        Raises:
            LedgerDown: the ledger cannot be used.
            TooMuch: it is more than `most`.
        """
        bad: list[Target] = []
        unsure: list[Target] = []
        blind = None
        ledger, account = self.unseeing.notifier.ledger, wake.target.account
        for region in self.regions(control, wake.target.region):
            stands = replace(wake, target=all_of(control, account, region))
            adopted = kept_as(control.id, control.scope, region)
            brief = ledger.brief(control.id, stands.target, now, adopted, Budget.of(control, wake.cause))
            try:
                seen = self._seen(control, rule, wake, self.unseeing.aws.eyes(account, region), most)
            except AwsRefusal as error:
                blind = self.unseeing.settle(control, rule, stands, brief, error, now)
                if blind.again:
                    return blind
                continue
            is_whole = wake.target.id == ALL or control.glance is None
            if is_whole and brief.finding is not None and brief.finding.is_open and not brief.finding.is_leased(now):
                ledger.save(over(brief.finding, now), now=now)
            deviating, unjudged = sorted_out(control, rule, seen)
            bad, unsure = [*bad, *deviating], [*unsure, *unjudged]
        found = self.wakes(control, rule, wake, bad, unsure)
        if most is not None and len(found) > most.found:
            raise TooMuch(f"{control.id} finds {len(found)} targets out of line")
        return found or blind or ()

    def _seen(self, control: Control, rule: Rule, wake: Wake, eyes: Eyes, most: Most | None) -> Survey:
        if control.survey is not None:
            return survey(control, eyes)
        targets = meant(control, rule, wake, eyes)
        if most is not None and len(targets) > most.looked_at:
            raise TooMuch(f"{control.id} has {len(targets)} targets to look at")
        along = look_along({one: [Visit(control)] for one in targets}, eyes, lambda: True, at_once=AT_ONCE)
        if control.id in along.broken:
            raise along.broken[control.id]
        return along.seen.get(control.id, Survey({}))

    def wakes(
        self, control: Control, rule: Rule, wake: Wake, deviating: Sequence[Target], unjudged: Sequence[Target]
    ) -> tuple[Wake, ...]:
        """The wakes for what was found, each with the origin that is due to it.

        The event named none of them, so what the control's first sweep would find has adoption's grace all the same.

        Args:
            control: what was looked with.
            rule: what the baseline says of it.
            wake: the one that made it look.
            deviating: what is out of line.
            unjudged: what could not be seen.
        """
        found = [one for one in (*deviating, *unjudged) if wake.target.covers(one)]
        if not found:
            return ()
        adopted = self.unseeing.notifier.ledger.adopted(wake.target.account)
        origins = {
            one: Adoption.from_json(adopted.get(kept_as(control.id, control.scope, one.region))).origin_of(
                # what cannot be seen was named by nobody: many of them are told together
                one,
                rule,
                Origin.SWEEP if one in unjudged and wake.origin is Origin.EVENT else wake.origin,
            )
            for one in found
        }
        return tuple(
            replace(wake, target=one, origin=origin, cause=Cause() if origin is Origin.ADOPTION else wake.cause)
            for one, origin in origins.items()
        )

    def regions(self, control: Control, named: str) -> Sequence[str]:
        """Where a control's targets are listed; `named` decides only for those that every region has of its own."""
        if control.scope is Scope.EACH:
            return self.baseline.regions or (self.home,) if named == GLOBAL else (named,)
        fixed = {Scope.GLOBAL: GLOBAL, Scope.HOME: self.home, Scope.BILLING: Scope.BILLING.value}
        return (fixed[control.scope],)


def meant(control: Control, rule: Rule, wake: Wake, eyes: Eyes) -> list[Target]:
    """What a control lists that goes one by one, as far as a wake stands for it and the settings do not leave it alone.

    Raises:
        AwsRefusal: it could not be listed.
    """
    spared: Callable[[Target], bool] = lambda one: control.glance is None and is_excepted(control, rule, one)  # noqa: E731
    return [one for one in listed(control, eyes) if wake.target.covers(one) and not spared(one)]

"""Nobody hears the alerts: told through the watchdog's topic, which has subscribers of its own, by each whole sweep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from plumbline.alerts.alert import Alert
from plumbline.engine.settle import Engine
from plumbline.engine.standing import Standing
from plumbline.findings.hearing import Hearing
from plumbline.ports import Alerts


@dataclass(frozen=True, slots=True)
class Silence:
    """Tells whoever reads the watchdog's topic.

    Attributes:
        engine: says who has not confirmed, and remembers what was told.
        watchdog: the topic.
    """

    engine: Engine
    watchdog: Alerts

    def tell(self, hearing: Hearing, account: str, now: datetime) -> None:
        """Tell that nobody hears, when it begins and once a day; and once that somebody does again.

        Raises:
            AwsRefusal: the topic did not take it; the next sweep tells.
            LedgerDown: what was told cannot be read or written.
        """
        from plumbline.alerts.hearing import heard_again, unheard  # once a sweep; no other piece of it pays for it

        engine, sender = self.engine, self.engine.deployment.sender
        standing = Standing(replace(engine, alerts=self.watchdog).notifier, f"watchdog-unheard#{account}")

        def deaf() -> Alert:
            return unheard(hearing, engine.alerts.waiting(), engine.alerts.arn, sender)

        if hearing.silent:
            standing.lasts(deaf, now)
        else:
            standing.is_over(lambda: heard_again(sender), now)

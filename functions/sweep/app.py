"""sweep: cuts the account into pieces and looks through them, with eyes only; minds the house. Composition only."""

from __future__ import annotations

from plumbline.handlers import coldstart

coldstart.begin()

import os
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timezone
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from plumbline.adapters.cloudformation import Stack
from plumbline.adapters.cloudwatch import Backlog, Runs
from plumbline.adapters.functions import Function
from plumbline.adapters.house import House
from plumbline.adapters.reach import Memory, Regions
from plumbline.adapters.sns import Topic, Urgent
from plumbline.adapters.sqs import Queue
from plumbline.compose import Plumbline, from_environment
from plumbline.handlers import batches, sweep
from plumbline.handlers.failures import Failures
from plumbline.handlers.house import SELDOM, Housekeeper
from plumbline.handlers.late import Late
from plumbline.handlers.reach import Lookout
from plumbline.handlers.silence import Silence
from plumbline.handlers.taking import HELPERS, SWEEPS_EACH, Share, Work
from plumbline.handlers.unsettled import Unsettled

logger = Logger(service="plumbline-sweep")


def now() -> datetime:
    """The time, read here and nowhere below."""
    return datetime.now(timezone.utc)


@cache
def plumbline() -> Plumbline:
    """Made once for each execution environment: clients and the baseline, nothing of any event."""
    return from_environment(now, patient=True)


def _queue(variable: str) -> Queue:
    return Queue(plumbline().clients, os.environ[variable], plumbline().engine.deployment.home)


def _house() -> House:
    here = plumbline()
    return House(here.clients, here.ledger.name, here.engine.deployment.home, here.account)


def _urgent() -> Urgent:
    here, home = plumbline(), plumbline().engine.deployment.home
    alerts = Topic(here.clients, os.environ["PLUMBLINE_ALERTS_TOPIC"], home, os.environ["PLUMBLINE_CHAT_TOPIC"])
    return Urgent(alerts, _watchdog())


def _watchdog() -> Topic:
    here = plumbline()
    return Topic(here.clients, os.environ["PLUMBLINE_WATCHDOG_TOPIC"], here.engine.deployment.home)


def _stack() -> Stack:
    return Stack(plumbline().clients, os.environ["PLUMBLINE_STACK_ID"], plumbline().engine.deployment.home)


def _regions() -> Regions:
    here, home = plumbline(), plumbline().engine.deployment.home
    stack, beats = here.engine.deployment.sender.stack, os.environ["PLUMBLINE_HEARTBEATS_QUEUE"]
    return Regions(here.clients, here.account, home, stack, beats)


def _lookout() -> Lookout:
    here, home = plumbline(), plumbline().engine.deployment.home
    return Lookout(
        here.engine, _regions(), Memory(here.clients, here.ledger.name, home, here.account), _urgent(), logger, now
    )


def _itself() -> Function:
    return Function(plumbline().clients, os.environ["AWS_LAMBDA_FUNCTION_NAME"], plumbline().engine.deployment.home)


def _failures() -> Failures:
    here = plumbline()
    return Failures(here.engine, Runs(here.clients, here.engine.deployment.home), _urgent(), now)


def _late() -> Late:
    here = plumbline()
    wakes = Backlog(here.clients, os.environ["PLUMBLINE_WAKES_QUEUE"], here.engine.deployment.home)
    return Late(here.engine, wakes, _urgent(), now)


def handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ANN401 - Lambda's type
    """Cut a sweep into pieces when its schedule calls; mind the house; and take the pieces that wait."""
    try:
        return _handled(event, context)
    finally:
        coldstart.over()


def _handled(event: dict[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as above
    remaining = context.get_remaining_time_in_millis
    sweeper = sweep.Sweeper(
        plumbline(),
        units=_queue("PLUMBLINE_UNITS_QUEUE"),
        wakes=_queue("PLUMBLINE_WAKES_QUEUE"),
        logger=logger,
        clock=now,
        remaining=remaining,
        silence=Silence(plumbline().engine, _watchdog()),
        house=Housekeeper(plumbline(), _stack(), _regions(), _house(), _urgent(), logger, now),
        unsettled=Unsettled(plumbline(), _house(), _urgent(), now),
        lookout=_lookout(),
        failures=_failures(),
        late=_late(),
    )
    work = Work(_queue("PLUMBLINE_UNITS_QUEUE"), sweeper.piece, _itself().call, logger, now, remaining)

    def take(share: Share, wait: int = 1) -> dict[str, int]:
        coldstart.over()  # a piece may be a large account's, and what it lets go of has to be collected
        return {"taken": work.take(share, wait=wait)}

    match event:
        case {"plumbline-task": "pieces"}:
            return take(Share.from_event(event))
        case {"plumbline-task": "house"}:
            with ExitStack() as whatever_that_shows:
                whatever_that_shows.callback(take, Share(), wait=0)
                return sweeper.look_at_the_house(SELDOM)
        case {"plumbline-task": "regions"}:
            return sweeper.look_at_regions() | take(Share())
        case {"detail-type": "AWS API Call via CloudTrail", "region": str(region)}:  # of what a forwarder is made of
            return sweeper.look_at_forwarder(region)
        case {
            "Records": _
        }:  # an earlier version's trigger, which CloudFormation deletes after it has changed this code
            return batches.partial(event, lambda record: sweeper.piece(record["body"]))
    with ExitStack() as whatever_that_shows:
        whatever_that_shows.callback(take, Share(now() + SWEEPS_EACH, HELPERS))
        return sweeper.begin()

"""What a person should know beside the findings: the trail, who would hear, what it costs, how fresh it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from deploy.deciding import TRAIL, Refused, Wanted, decide
from deploy.looking import look, outputs
from deploy.trails import copy_costs, events_a_month
from plumbline.adapters.clients import ClientFactory, perform
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal

#: IAM makes a new credential report when it is asked for one and the latest is older.
#: Source: IAM user guide, "Generate credential reports".
_REPORT_RENEWED = timedelta(hours=4)
_NO_REPORT = ("ReportNotPresent", "ReportExpired", "ReportInProgress", "CredentialReportNotPresentException",
              "CredentialReportExpiredException", "CredentialReportNotReadyException")  # fmt: skip


@dataclass(slots=True, eq=False)
class Counting:
    """A client factory that counts the requests its clients send.

    Attributes:
        clients: makes them.
        sent: how many requests were sent, pages and repeated tries included.
    """

    clients: ClientFactory
    sent: int = 0
    _known: dict[int, Any] = field(default_factory=dict)

    def __call__(
        self, account: str, region: str, service: str, role: str = "", policy: str = "", session: str = "", /
    ) -> Any:  # noqa: ANN401 - botocore's clients have no static type
        """See ClientFactory."""
        client = self.clients(account, region, service, role, policy, session)
        if id(client) not in self._known:
            self._known[id(client)] = client
            client.meta.events.register("before-send", self._count)
        return client

    def _count(self, **_: object) -> None:
        self.sent += 1


def told(clients: ClientFactory, region: str, stack: str, reads: int, now: datetime) -> Sequence[str]:
    """One paragraph for each thing; what could not be seen is one too.

    Args:
        clients: makes clients with the caller's credentials.
        region: the home region.
        stack: the stack's name.
        reads: how many requests the look has sent.
        now: the time, in UTC.
    """
    every: Sequence[Callable[[], Iterator[str]]] = (
        lambda: _listeners(clients, region, stack),
        lambda: _costs(reads),
        lambda: _credential_report(clients, region, now),
    )
    return [paragraph for one in every for paragraph in _or_why_not(one)]


@dataclass(frozen=True, slots=True)
class Deployment:
    """What `make deploy` would decide here.

    Attributes:
        told: a paragraph for each thing; why nothing would be deployed, or could not be seen, where that is so.
        makes_a_trail: whether it would make one, so that no repair has to.
    """

    told: Sequence[str]
    makes_a_trail: bool = False


def deployment(clients: ClientFactory, region: str, stack: str) -> Deployment:
    """What `make deploy` would decide, with the account as it is.

    Args:
        clients: makes clients with the caller's credentials.
        region: the home region.
        stack: the stack's name.
    """
    try:
        decided = decide(look(clients, region, stack), Wanted(stack, "you@example.com"))
    except Refused as refusal:
        return Deployment((str(refusal),))
    except AwsRefusal as error:
        return Deployment((f"Not seen: {error}.",))
    return Deployment(decided.told[1:], decided.parameters.get(TRAIL) == "")


def _or_why_not(tell: Callable[[], Iterator[str]]) -> Iterator[str]:
    try:
        yield from tell()
    except AwsRefusal as error:
        yield f"Not seen: {error}."


def _listeners(clients: ClientFactory, region: str, stack: str) -> Iterator[str]:
    topic = outputs(clients, region, stack).get("AlertsTopicArn")
    if not topic:
        yield "Plumbline is not deployed here, so nobody is told: whoever you name with EMAIL= will be."
        return
    call = Call("sns", "ListSubscriptionsByTopic", {"TopicArn": topic})
    found = perform(clients("", region, "sns"), call).get("Subscriptions", ())
    heard = [one["Endpoint"] for one in found if str(one["SubscriptionArn"]).startswith("arn:")]
    waiting = [one["Endpoint"] for one in found if one["Endpoint"] not in heard]
    yield f"Told of alerts: {', '.join(heard) or 'nobody'}." + (
        f" Not confirmed yet: {', '.join(waiting)}." if waiting else ""
    )


def _costs(reads: int) -> Iterator[str]:
    events = events_a_month(reads)
    yield (
        f"This look sent {reads:,} requests, and an hourly sweep sends about as many: {events:,} management events a "
        f"month. The first copy that a trail delivers of them is free; each further trail that records reads adds "
        f"{copy_costs(events):,.2f} USD a month."
    )


def _credential_report(clients: ClientFactory, region: str, now: datetime) -> Iterator[str]:
    found = perform(clients("", region, "iam"), Call("iam", "GetCredentialReport", absent=_NO_REPORT))
    if not found or now - found["GeneratedTime"] < _REPORT_RENEWED:
        return
    yield (
        f"IAM's credential report is of {found['GeneratedTime']:%d %B %Y, %H:%M} UTC: what was done to access keys "
        "since may be missing here. A new one takes IAM a minute; look again then."
    )

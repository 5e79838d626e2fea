"""IAM holds no expired server certificate.

Holds: every certificate among IAM's server certificates is valid still. Those of AWS Certificate Manager are another
service's, and renew themselves as a rule.
Why: a certificate that has expired is of no use, and who serves it by mistake, behind a load balancer or CloudFront,
frightens every visitor away or teaches them to ignore the warning.
Repair: none. The certificate may still stand in a listener or a distribution, which would break without it: see what
uses it, put a valid one there, best one of AWS Certificate Manager, and then delete it with
`aws iam delete-server-certificate --server-certificate-name NAME`, for the IAM console shows none of them.
Undo: none; nothing is changed.
Source: CIS AWS Foundations; IAM user guide, Manage server certificates in IAM; IAM API reference,
ListServerCertificates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from plumbline.core.calls import Ask, Call
from plumbline.core.cause import Event
from plumbline.core.clock import Clock, Response, utc
from plumbline.core.control import Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.names import same_name
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.wakes import cloudtrail

KIND = "iam-server-certificate"


def locate(detail: Event) -> Iterable[Target]:
    """The certificate that was uploaded; all of them where the event does not say which."""
    return cloudtrail.here(detail, KIND, cloudtrail.parameter(detail, "serverCertificateName"), region=GLOBAL)


def survey(ask: Ask) -> Mapping[Target, State]:
    """Every certificate; one list tells all that has to be known of each."""
    return {
        Target(ask.account, GLOBAL, KIND, one["ServerCertificateName"]): _state(one, ask.now) for one in _listed(ask)
    }


def observe(ask: Ask, target: Target) -> State:
    """One certificate; None when it is gone."""
    found = next((one for one in _listed(ask) if same_name(one["ServerCertificateName"], target.id)), None)
    return found and _state(found, ask.now)


def _listed(ask: Ask) -> list[Mapping[str, Any]]:
    listed: list[Mapping[str, Any]] = ask(Call("iam", "ListServerCertificates"))["ServerCertificateMetadataList"]
    return listed


def _state(found: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Whether it is valid at this moment; AWS leaves the date out where a certificate has none that it can read."""
    at = found.get("Expiration")
    until = at if isinstance(at, datetime) or at is None else utc(str(at))
    return {
        "name": found["ServerCertificateName"],
        "until": until.date().isoformat() if until else "",
        "expired": until is not None and until <= now,
    }


def spell(target: Target, state: State) -> Target:
    """The certificate under the name that AWS keeps."""
    if state is None or not same_name(state["name"], target.id):
        return target
    return Target(target.account, target.region, target.kind, state["name"])


def detect(state: State, _settings: Settings) -> Deviation | None:
    """One that has expired."""
    if state is None or not state["expired"]:
        return None
    return Deviation(f"expired on {state['until']}", ("expired",))


def describe(state: State) -> str:
    """Until when."""
    if state is None:
        return "it does not exist"
    if not state["until"]:
        return "AWS does not say until when it is valid"
    return f"expired on {state['until']}" if state["expired"] else f"valid until {state['until']}"


CONTROL = Control(
    id="iam-certificates",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.LOW,
    response=Response.ALERT,
    clocks={"default": Clock(remind=(timedelta(days=7),), escalate=timedelta(days=30))},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(On("iam.amazonaws.com", ("UploadServerCertificate",), locate),),
    reads=frozenset({"iam:ListServerCertificates"}),
    writes=frozenset(),
    noun="server certificate {id}",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    spell=spell,
    answers={"cis-7.0": ("2.17",)},
)

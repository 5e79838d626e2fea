"""A finding as the ledger keeps it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from plumbline.core.calls import Call, Plan, Step
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import utc
from plumbline.core.control import Deviation
from plumbline.core.targets import Target, same
from plumbline.findings.finding import DIGEST, Finding, Repair, Status
from plumbline.findings.unseen import Unseen


def to_json(finding: Finding) -> str:
    """A finding as the ledger stores it."""
    return json.dumps(
        {
            "id": finding.id,
            "control": finding.control,
            "target": str(finding.target),
            "status": finding.status.value,
            "origin": finding.origin.value,
            "summary": finding.deviation.summary,
            "items": finding.deviation.items,
            "clock": finding.deviation.clock,
            "first_seen": finding.first_seen.isoformat(),
            "last_seen": finding.last_seen.isoformat(),
            "cause": finding.cause.to_json(),
            "told": finding.told,
            "outbox": finding.outbox,
            "lease": _when(finding.lease),
            "grace_until": _when(finding.grace_until),
            "adopted": finding.adopted,
            "unheard": finding.unheard,
            "repairs": [_repair_to_json(repair) for repair in finding.repairs],
            "repaired_at": [at.isoformat() for at in finding.repaired_at],
            "closed_at": _when(finding.closed_at),
            "due": _when(finding.due),
            "back_since": _when(finding.back_since),
            "proposal": _repair_to_json(finding.proposal) if finding.proposal else None,
            "then": finding.then,
            "under": finding.under,
            "enforced_by": finding.enforced_by,
            "forgiven": finding.forgiven,
            "unseen": finding.unseen.to_json() if finding.unseen else None,
            "ticket": finding.ticket,
            **({"left": _when(finding.left)} if finding.left else {}),
            **({"restored": True} if finding.restored else {}),
            "version": finding.version,
        },
        separators=(",", ":"),
        default=str,
    )


def from_json(text: str) -> Finding:
    """The finding that `to_json` wrote."""
    data = json.loads(text)
    return Finding(
        id=data["id"],
        control=data["control"],
        target=Target.parse(data["target"]),
        status=Status(data["status"]),
        origin=Origin(data["origin"]),
        deviation=Deviation(data["summary"], tuple(data["items"]), data["clock"]),
        first_seen=utc(data["first_seen"]),
        last_seen=utc(data["last_seen"]),
        cause=Cause.from_json(data["cause"]),
        told=tuple(data["told"]),
        outbox=data["outbox"],
        lease=_instant(data["lease"]),
        grace_until=_instant(data["grace_until"]),
        adopted=tuple(data["adopted"]),
        unheard=data.get("unheard", _was_untold(data)),
        repairs=tuple(_repair_from_json(repair) for repair in data["repairs"]),
        repaired_at=tuple(utc(at) for at in data["repaired_at"]),
        closed_at=_instant(data["closed_at"]),
        due=_instant(data["due"]),
        back_since=_instant(data.get("back_since")),
        proposal=_repair_from_json(data["proposal"]) if data.get("proposal") else None,
        then=data.get("then", ""),
        under=data.get("under", ""),
        enforced_by=data.get("enforced_by", ""),
        forgiven=data.get("forgiven", 0),
        unseen=Unseen.from_json(data["unseen"]) if data.get("unseen") else None,
        ticket=data.get("ticket", ""),
        left=_instant(data.get("left")),
        restored=data.get("restored", False),
        version=data["version"],
    )


def same_plan(one: Plan, other: Plan) -> bool:
    """Whether two plans do the same, and take it back in the same way, whichever has been through the ledger."""
    return same(_steps_to_json(one), _steps_to_json(other))


def _steps_to_json(plan: Plan) -> dict[str, Any]:
    steps = [{"do": s.do.to_json(), "undo": [call.to_json() for call in s.undo]} for s in plan.steps]
    return {"steps": steps, "refusal": plan.refusal}


def _repair_to_json(repair: Repair) -> dict[str, Any]:
    return {
        "at": repair.at.isoformat(),
        "steps": [
            {"do": s.do.to_json(), "undo": [call.to_json() for call in s.undo], "fact": s.fact}
            for s in repair.plan.steps
        ],
        "resources": repair.plan.resources,
        "summary": repair.plan.summary,
        "irreversible": repair.plan.irreversible,
        "means": repair.plan.means,
        "later": repair.plan.later,
        "left": dict(repair.plan.left),
        "before": repair.before,
        "after": repair.after,
        "looked": repair.looked,
        "done": repair.done,
        "error": repair.error,
        "begun": repair.begun,
        "held": repair.held,
        "undone": _when(repair.undone),
        "by": repair.by,
        "undone_by": repair.undone_by,
        "refused": repair.refused,
        "made_by": repair.made_by,
    }


def _repair_from_json(data: Mapping[str, Any]) -> Repair:
    steps = tuple(
        Step(Call.from_json(s["do"]), tuple(Call.from_json(c) for c in s["undo"]), s.get("fact", ""))
        for s in data["steps"]
    )
    plan = Plan(
        steps,
        tuple(data["resources"]),
        data["summary"],
        data["irreversible"],
        data.get("means", ""),
        tuple(data.get("later", ())),
        left=data.get("left", {}),
    )
    return Repair(
        at=utc(data["at"]),
        plan=plan,
        before=data["before"],
        after=data["after"],
        looked=data.get("looked", data["after"] is not None),
        done=data["done"],
        error=data["error"],
        begun=data.get("begun", True),
        held=data.get("held", False),
        undone=_instant(data["undone"]),
        by=data.get("by", ""),
        undone_by=data.get("undone_by", ""),
        refused=tuple(data.get("refused", ())),
        made_by=data.get("made_by", ""),
    )


def _was_untold(data: Mapping[str, Any]) -> bool:
    """Whether version 0.1, which began the grace when something was found, had not told of it yet."""
    return bool(data["adopted"]) and data["outbox"] == f"{DIGEST}opened" and data["origin"] == Origin.ADOPTION.value


def _when(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _instant(text: str | None) -> datetime | None:
    return utc(text) if text else None

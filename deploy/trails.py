"""Which of the account's trails Plumbline can listen to, and what a second one costs. Pure.

Sources: CloudTrail user guide, "Managing CloudTrail trail costs" and "Creating a trail for an organization";
CloudTrail's pricing page.
"""

from __future__ import annotations

from collections.abc import Sequence

from plumbline.controls.detection._trails import Trail, has_name, missing

#: US dollars for a further copy of 100,000 management events. The first copy in each region is free.
PER_100_000 = 2.00
#: Without these Plumbline hears, but keeps a trail that is worth less: it puts them right itself, and tells.
_DETAILS = frozenset({"leaves out global services", "has no log file validation"})
_HOURS_A_MONTH = 24 * 30


def faults(trail: Trail) -> list[str]:
    """Why Plumbline cannot rely on a trail; empty where it can: it logs, delivers, and records every management event.

    Which events an organisation's trail leaves out a member account cannot see: that alone is no fault.
    """
    found = [one for one in missing(trail) if one not in _DETAILS]
    return [*found, f"does not deliver: {trail['undelivered']}"] if trail["undelivered"] else found


def best(trails: Sequence[Trail]) -> Trail | None:
    """The trail to use: one of the account's own before its organisation's, one that misses nothing before others."""
    fit = [one for one in trails if not faults(one)]
    return min(fit, key=lambda one: (not one["own"], len(missing(one)), one["arn"]), default=None)


def named(trails: Sequence[Trail], wanted: str) -> Trail | None:
    """The trail of a name or an ARN."""
    return next((one for one in trails if has_name(one, wanted)), None)


def parameter(trail: Trail, home: str) -> str:
    """How `ExistingTrailName` has to name a trail, so that it means this one."""
    return str(trail["name"] if trail["own"] and trail["region"] == home else trail["arn"])


def spoken(trail: Trail) -> str:
    """A trail as it is called in a sentence."""
    if not trail["organisation"]:
        return f"trail {trail['name']} (home region {trail['region']})"
    return f"your organisation's trail {trail['name']} (of account {trail['arn'].split(':')[4]})"


def caveats(trail: Trail) -> list[str]:
    """What else a person should know before relying on a trail."""
    details = [one for one in missing(trail) if one in _DETAILS]
    told = []
    if details and trail["own"] and not trail["organisation"]:
        told.append(f"It {' and '.join(details)}; Plumbline will switch that on, and tell you.")
    elif details:
        told.append(f"It {' and '.join(details)}; only its own account can switch that on.")
    if not trail["selectors_seen"]:
        told.append(
            "Which events it leaves out only its own account can see: ask there that it records management events, "
            "reads and writes. Without them Plumbline works by its hourly sweep alone."
        )
    return told


def events_a_month(reads: int) -> int:
    """How many management events an hourly sweep of so many reads makes in a month of thirty days."""
    return reads * _HOURS_A_MONTH


def copy_costs(events: int) -> float:
    """US dollars for a further copy of so many management events."""
    return events / 100_000 * PER_100_000

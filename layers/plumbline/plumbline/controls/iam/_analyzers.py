"""The analyzers of IAM Access Analyzer that a region has, as the controls about them share it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plumbline.core.calls import Ask, Call

#: Every analyzer of a region, whatever it looks for.
ANALYZERS = Call("accessanalyzer", "ListAnalyzers")
#: The types that look for access from outside the account or the organisation. Others look for rights that nobody uses,
#: and for access from within. Source: IAM Access Analyzer API reference, AnalyzerSummary.
_EXTERNAL = ("ACCOUNT", "ORGANIZATION")
#: What works, or will in a moment.
WORKING = ("ACTIVE", "CREATING")


def external(ask: Ask) -> list[Mapping[str, Any]]:
    """The analyzers of external access in the region that is looked at, whoever made them, those that work first."""
    listed = [one for one in ask(ANALYZERS)["analyzers"] if one["type"] in _EXTERNAL]
    return sorted(listed, key=lambda one: (one["status"] not in WORKING, one["name"]))

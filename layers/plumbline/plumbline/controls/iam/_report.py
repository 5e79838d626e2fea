"""IAM's credential report: one row a user, and one for root. AWS makes it when it is asked, each four hours at most.

Source: IAM user guide, Get credential reports for your AWS account; IAM API reference, GetCredentialReport.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any

from plumbline.core.calls import Ask, Call

Row = Mapping[str, str]
REPORT = Call(
    "iam",
    "GetCredentialReport",
    absent=(
        "ReportNotPresent",
        "ReportExpired",
        "ReportInProgress",
        "CredentialReportNotPresentException",
        "CredentialReportExpiredException",
        "CredentialReportNotReadyException",
    ),
)
#: Has AWS make one.
ORDER = Call("iam", "GenerateCredentialReport")


def rows(ask: Ask) -> Sequence[Row] | None:
    """The report's rows; None where there is none, or only one that is too old, and then one is ordered."""
    report = ask(REPORT)
    if report is None:
        ask(ORDER)
        return None
    return rows_of(report)


def rows_of(report: Mapping[str, Any]) -> Sequence[Row]:
    """The rows of a report as AWS answers it. Most values are the same few words: each is kept once."""
    rows = csv.DictReader(io.StringIO(report["Content"].decode()))
    return [{name: intern(one) if isinstance(one, str) else one for name, one in row.items()} for row in rows]

"""What the credential report may say, in any of its columns, to every control that reads it.

Source: IAM user guide, Get credential reports for your AWS account: `N/A`, `no_information` and `not_supported` stand
where there is nothing to say, the report is four hours old at most, and each column has its own words.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import pytest

from plumbline.controls import registry
from plumbline.core.control import Control
from plumbline.core.targets import GLOBAL, Target
from plumbline.engine.surveying import judged, survey
from tests.fakes import Told
from tests.story import ACCOUNT, World, defaults, signs_in, world

READING = [one for one in registry.load().values() if "iam:GetCredentialReport" in one.reads]
#: In every column, whether it belongs there or not.
SAYS = (
    "N/A",
    "no_information",
    "not_supported",
    "",
    "false",
    "true",
    "2020-01-01T00:00:00+00:00",
    "TRUE",
    "null",
    "-1",
)


#: IAM takes these characters in a user's name; where a report does not quote the comma, all columns behind it shift.
NAMES = ("ann", "bob", "o'neil,+=@", "$(id)")


def _people(told: World) -> Mapping[str, Any]:
    """Users with keys, one of them with a password; and the report of them, as AWS answers it."""
    iam = told.client("iam")
    for name in NAMES:
        iam.create_user(UserName=name)
        iam.create_access_key(UserName=name)
    signs_in(iam, NAMES[0])
    signs_in(iam, NAMES[2])
    iam.generate_credential_report()
    answer: Mapping[str, Any] = iam.get_credential_report()
    return answer


def _seen(told: World, control: Control, report: Mapping[str, Any] | str | None) -> set[Target]:
    found = survey(control, Told(told.accounts.eyes(ACCOUNT, GLOBAL), GetCredentialReport=report))
    for state in found.states.values():
        judged(control, state, defaults(control))
    return {*found.states, *found.unreadable}


@pytest.mark.parametrize("control", READING, ids=lambda one: str(one.id))
def test_whatever_stands_in_a_column_the_control_looks_and_judges(control: Control) -> None:
    with world() as told:
        rows = list(csv.DictReader(io.StringIO(_people(told)["Content"].decode()), restkey="more"))
        for column in rows[0].keys() - {"user", "arn"}:
            for said in SAYS:
                text = io.StringIO()
                table = csv.DictWriter(text, rows[0], extrasaction="ignore")
                table.writeheader()
                table.writerows({**row, column: said} for row in rows)
                _seen(told, control, {"Content": text.getvalue().encode()})


@pytest.mark.parametrize("control", READING, ids=lambda one: str(one.id))
def test_who_is_not_in_the_report_or_has_no_row_that_can_be_read_is_looked_at_all_the_same(control: Control) -> None:
    """While there is none each is asked for, or the look is repeated: it is no look at nobody."""
    with world() as told:
        report = _people(told)
        head, *rest = report["Content"].decode().splitlines()
        of_root = [line for line in rest if line.startswith("<root_account>")]
        whole = _seen(told, control, report)
        if control.id != "root-rotation":
            assert NAMES[2] in {target.id.partition("/")[0] for target in whole}
        for said in ({"Content": "\n".join([head, *of_root]).encode()}, None):
            assert whole <= _seen(told, control, said)

"""The stack's trail is deleted while another team has one of its own: what is made, and what is left alone."""

from __future__ import annotations

from typing import Any

from tests.end_to_end.account import Account
from tests.trails import logging_trail

FILES = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": False,
    "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::acme-data/"]}],
}


def _settings(account: Account, name: str) -> tuple[Any, Any, bool]:
    trails = account.aws.client("cloudtrail")
    (trail,) = trails.describe_trails(trailNameList=[name])["trailList"]
    selectors = trails.get_event_selectors(TrailName=name)
    logging = trails.get_trail_status(Name=name)["IsLogging"]
    return trail, selectors.get("EventSelectors"), logging


def test_a_deleted_trail_is_made_again_and_another_teams_stays_as_it_is(account: Account) -> None:
    account.sweep()
    account.quiet()
    trails = account.aws.client("cloudtrail")
    before = _settings(account, "plumbline")
    logging_trail(account.aws, "acme-records", "files", every_region=False)
    trails.put_event_selectors(TrailName="files", EventSelectors=[FILES])
    theirs, since = _settings(account, "files"), account.latest_mail()
    account.aws.client("cloudtrail", as_="mallory").delete_trail(Name="plumbline")
    account.until(
        lambda: any(one["Name"] == "plumbline" for one in trails.describe_trails()["trailList"]), "the trail is there"
    )
    account.until(lambda: trails.get_trail_status(Name="plumbline")["IsLogging"], "it logs")
    assert before == _settings(account, "plumbline")
    assert theirs == _settings(account, "files")
    account.until(lambda: account.mail_about("repaired: CloudTrail", since), "it is told")
    (mail,) = account.mail_about("repaired: CloudTrail", since)
    assert "files stays as it is" in " ".join(mail.text.split())
    trails.delete_trail(Name="files")
    account.quiet()

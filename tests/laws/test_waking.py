"""Whatever can change what a control reads for the worse wakes it: on the thing itself, or on what outweighs it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from plumbline.controls import registry
from plumbline.core.control import Control

#: IAM action of a read -> the events after which it may answer something worse, by CloudTrail's names.
#: Sources: Amazon S3 user guide, "Amazon S3 CloudTrail events" (names), "Blocking public access to your Amazon S3
#: storage" (GetBucketAcl answers what is in force) and "Controlling ownership of objects and disabling ACLs"; AWS
#: CloudTrail, Amazon EC2 and IAM API references.
CHANGED_BY: Mapping[str, set[str]] = {
    "s3:GetBucketAcl": {
        "CreateBucket",
        "DeleteAccountPublicAccessBlock",
        "DeleteBucketOwnershipControls",
        "DeleteBucketPublicAccessBlock",
        "PutAccountPublicAccessBlock",
        "PutBucketAcl",
        "PutBucketOwnershipControls",
        "PutBucketPublicAccessBlock",
    },
    "s3:GetBucketLogging": {"PutBucketLogging"},
    "s3:GetBucketOwnershipControls": {
        "CreateBucket",
        "DeleteBucketOwnershipControls",
        "PutBucketOwnershipControls",
    },
    "s3:GetBucketPolicy": {"PutBucketPolicy"},
    "s3:GetBucketPublicAccessBlock": {"DeleteBucketPublicAccessBlock", "PutBucketPublicAccessBlock"},
    "s3:GetBucketVersioning": {"PutBucketVersioning"},
    "s3:GetEncryptionConfiguration": {"CreateBucket", "DeleteBucketEncryption", "PutBucketEncryption"},
    "s3:GetLifecycleConfiguration": {"PutBucketLifecycle"},
    "s3:GetAccountPublicAccessBlock": {"DeleteAccountPublicAccessBlock", "PutAccountPublicAccessBlock"},
    "iam:ListVirtualMFADevices": {"DeactivateMFADevice"},
    "iam:GetAccountPasswordPolicy": {"DeleteAccountPasswordPolicy", "UpdateAccountPasswordPolicy"},
    "ec2:GetEbsEncryptionByDefault": {"DisableEbsEncryptionByDefault"},
    "ec2:GetInstanceMetadataDefaults": {"ModifyInstanceMetadataDefaults"},
    "cloudtrail:GetTrailStatus": {"DeleteTrail", "StopLogging"},
    "cloudtrail:GetEventSelectors": {"PutEventSelectors"},
    "cloudtrail:DescribeTrails": {"DeleteTrail", "UpdateTrail"},
    "sns:ListSubscriptionsByTopic": {"DeleteTopic", "Unsubscribe"},
    "account:GetAlternateContact": {"DeleteAlternateContact", "PutAlternateContact"},
    "billing:GetBillingPreferences": {"UpdateBillingPreferences"},
    "budgets:ViewBudget": {
        "DeleteBudget",
        "DeleteNotification",
        "DeleteSubscriber",
        "UpdateBudget",
        "UpdateNotification",
        "UpdateSubscriber",
    },
    "ce:GetAnomalyMonitors": {"DeleteAnomalyMonitor"},
    "ce:GetAnomalySubscriptions": {"DeleteAnomalySubscription", "UpdateAnomalySubscription"},
    "cloudwatch:DescribeAlarms": {"DeleteAlarms", "DisableAlarmActions", "PutMetricAlarm"},
}
#: What shows only some time after any call, so that to look at once would find nothing; the sweep asks each hour.
SHOWS_LATER = {"cloudtrail-delivery"}
#: Asked every ten minutes, whatever happens: of itself, Plumbline's functions wait for no event that somebody may have
#: kept from them. What is told at once, the tripwires tell without them; see tests/test_tripwires.py.
LOOKED_AT_ANYHOW = {one.id for one in registry.load().values() if one.house and not one.wakes_on}
READERS = [
    pytest.param(one, id=one.id)
    for one in registry.load().values()
    if one.reads & CHANGED_BY.keys() and one.id not in SHOWS_LATER | LOOKED_AT_ANYHOW
]


@pytest.mark.parametrize("control", READERS)
def test_every_call_that_can_change_what_it_reads_for_the_worse_wakes_it(control: Control) -> None:
    woken_by = {name for on in control.wakes_on for name in on.names}
    changed_by = {name for read in control.reads & CHANGED_BY.keys() for name in CHANGED_BY[read]}
    assert set() == changed_by - woken_by

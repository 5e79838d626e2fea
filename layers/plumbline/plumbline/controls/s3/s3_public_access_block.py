"""No bucket can be made public, but those that are so on purpose.

Holds: the four public-access switches are on for each bucket, by its own block or by the account's, which outweighs it:
public ACLs are refused and ignored, public policies are refused and restricted. AWS switches on all four when it makes
a bucket. Buckets in `allowed_buckets` are left alone.
Why: a bucket becomes public in two steps: its block is taken off, and then a policy or an ACL opens it. Where the block
is on, the second step fails, whoever tries it and for whatever reason.
Repair: switches on those of the bucket's four that are off, the others stay. At once where an event announced it; what
was so before is told, and closed a week later, for a website may be served from it.
Undo: sets the four as they were, or leaves nothing configured where nothing was.
Source: Amazon S3 user guide, Blocking public access to your Amazon S3 storage.
"""

from __future__ import annotations

from plumbline.controls.s3._access_block import SWITCH, announced, observe
from plumbline.controls.s3._buckets import ALLOWED, every_bucket, located
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, Response
from plumbline.core.control import Control, On, Severity

CONTROL = Control(
    id="s3-public-access-block",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND},
    wakes_on=(
        On(
            "s3.amazonaws.com",
            ("CreateBucket", "DeleteBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
            located,
        ),
        On("s3.amazonaws.com", ("DeleteAccountPublicAccessBlock", "PutAccountPublicAccessBlock"), every_bucket),
    ),
    reads=frozenset(
        {
            "s3:GetAccountPublicAccessBlock",
            "s3:GetBucketLocation",
            "s3:GetBucketPublicAccessBlock",
            "s3:ListAllMyBuckets",
        }
    ),
    writes=frozenset({"s3:PutBucketPublicAccessBlock"}),
    announces=announced,
    settings={"allowed_buckets": ALLOWED},
    answers={"cis-7.0": ("3.1.4",), "moj": ("world-storage", "world-storage-7d"), "ssb": ("ACCT.08",)},
    **{**SWITCH.functions, "observe": observe},
)

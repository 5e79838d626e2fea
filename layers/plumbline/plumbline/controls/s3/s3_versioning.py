"""Buckets that you name keep earlier versions of what is overwritten or deleted.

Holds: versioning is on for each bucket in `buckets`. None is held to it until you name some, and where MFA delete is
on, root alone can change it.
Why: in a bucket without versions, whoever overwrites or deletes an object destroys it: a program with a mistake in it,
or somebody who asks for ransom. With versions, what was there before can be had back.
Repair: switches versioning on. At once where an event announced that it is off; what was so before is told, and
switched on a week later.
Undo: suspends it, and versions that were kept stay. AWS knows no way back to a bucket that never had any.
Source: Amazon S3 user guide, Retaining multiple versions of objects with S3 Versioning; Configuring MFA delete.
"""

from __future__ import annotations

from plumbline.controls.s3._buckets import NAMED, located
from plumbline.controls.s3._versions import SWITCH, announced, plan
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, Response
from plumbline.core.control import Control, On, Severity

CONTROL = Control(
    id="s3-versioning",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND},
    wakes_on=(On("s3.amazonaws.com", ("CreateBucket", "PutBucketVersioning"), located),),
    reads=frozenset({"s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListAllMyBuckets"}),
    writes=frozenset({"s3:PutBucketVersioning"}),
    announces=announced,
    settings={"buckets": NAMED},
    **{**SWITCH.functions, "plan": plan},
)

"""The account's four public-access switches, which outweigh those of each bucket. Pure.

Source: Amazon S3 user guide, Blocking public access to your Amazon S3 storage.
"""

from __future__ import annotations

from plumbline.controls._switch import Switch, Values
from plumbline.core.calls import Call
from plumbline.core.targets import GLOBAL

FOUR = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def write(values: Values | None) -> Call:
    """All four together, since a call switches off what it leaves out; without values, nothing is configured."""
    if values is None:
        return Call("s3control", "DeletePublicAccessBlock")
    block = {name: bool(values.get(name)) for name in FOUR}
    return Call("s3control", "PutPublicAccessBlock", {"PublicAccessBlockConfiguration": block})


SWITCH = Switch(
    kind="account-s3-public-access",
    read=Call("s3control", "GetPublicAccessBlock", absent=("NoSuchPublicAccessBlockConfiguration",)),
    path=("PublicAccessBlockConfiguration",),
    wanted=dict.fromkeys(FOUR, (True,)),
    write=write,
    wrong="is not wholly on",
    repair="switches on what is off of the account's public access block",
    region=GLOBAL,
    unset=False,
)

"""New EBS volumes are encrypted, whoever makes them.

Holds: encryption by default is on, in each region that the baseline names, else in the home region.
Why: a volume that is not encrypted, and every snapshot of it, can be read by whoever gets hold of a copy. Unless it is
the default, encryption has to be asked for with each volume, and is forgotten.
Repair: switches it on. The default key stays as it is, and so do volumes that exist. Instance types too old to take
encrypted volumes can no longer be launched.
Undo: switches it off again. Volumes made in the meantime stay encrypted.
Source: Amazon EC2 API reference, EnableEbsEncryptionByDefault.
"""

from __future__ import annotations

from plumbline.controls._switch import HELD, Switch
from plumbline.core.calls import Call
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, NEVER, Response
from plumbline.core.control import Control, On, Severity

SWITCH = Switch(
    kind="ec2-ebs-encryption",
    read=Call("ec2", "GetEbsEncryptionByDefault"),
    path=(),
    wanted={"EbsEncryptionByDefault": (True,)},
    write=lambda values: Call(
        "ec2", f"{'Enable' if (values or {}).get('EbsEncryptionByDefault') else 'Disable'}EbsEncryptionByDefault"
    ),
    wrong="is off",
    repair="switches it on for new volumes",
)

CONTROL = Control(
    id="ec2-ebs-encryption",
    since="0.2",
    doc=__doc__ or "",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND, HELD: NEVER},
    wakes_on=(On("ec2.amazonaws.com", ("DisableEbsEncryptionByDefault",), SWITCH.locate),),
    reads=frozenset({"ec2:GetEbsEncryptionByDefault"}),
    writes=frozenset({"ec2:DisableEbsEncryptionByDefault", "ec2:EnableEbsEncryptionByDefault"}),
    held_by=frozenset({"UnauthorizedOperation"}),  # its session may do it, so only an organisation's policy denies it
    noun="EBS encryption by default in {region}",
    answers={"cis-7.0": ("6.1.1",), "moj": ("encryption",), "ssb": ("WKLD.08",)},
    **SWITCH.functions,
)

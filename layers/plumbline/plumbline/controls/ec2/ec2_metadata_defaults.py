"""New instances answer questions about themselves only to whoever holds a session token (IMDSv2).

Holds: the account's default for new instances requires IMDSv2, in each region that the baseline names, else in the home
region.
Why: the older metadata service gives an instance's credentials to any request that can be made to come from it, as by a
web server that fetches whatever address it is told to. The newer one asks for a token that such a request cannot get.
Repair: makes IMDSv2 the default of new instances; the other defaults (hop limit, tags) stay as they are. Instances that
run stay as they are, and whoever launches one can still ask for something else.
Undo: sets the earlier default, or none where there was none.
Source: Amazon EC2 API reference, ModifyInstanceMetadataDefaults.
"""

from __future__ import annotations

from plumbline.controls._switch import HELD, Switch, Values
from plumbline.core.calls import Call
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, NEVER, Response
from plumbline.core.control import Control, On, Severity


def write(values: Values | None) -> Call:
    """What a call leaves out stays as it is; a default is taken away by its own word."""
    tokens = (values or {}).get("HttpTokens") or "no-preference"
    return Call("ec2", "ModifyInstanceMetadataDefaults", {"HttpTokens": tokens})


SWITCH = Switch(
    kind="ec2-metadata-defaults",
    read=Call("ec2", "GetInstanceMetadataDefaults"),
    path=("AccountLevel",),
    wanted={"HttpTokens": ("required",)},
    write=write,
    wrong="does not require IMDSv2",
    repair="makes IMDSv2 the default of new instances",
)

CONTROL = Control(
    id="ec2-metadata-defaults",
    since="0.2",
    doc=__doc__ or "",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND, HELD: NEVER},
    wakes_on=(On("ec2.amazonaws.com", ("ModifyInstanceMetadataDefaults",), SWITCH.locate),),
    reads=frozenset({"ec2:GetInstanceMetadataDefaults"}),
    writes=frozenset({"ec2:ModifyInstanceMetadataDefaults"}),
    held_by=frozenset({"UnauthorizedOperation"}),  # its session may do it, so only an organisation's policy denies it
    noun="the default of instance metadata in {region}",
    answers={"cis-7.0": ("6.7",)},
    **SWITCH.functions,
)

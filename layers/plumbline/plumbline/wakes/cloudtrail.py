"""What a CloudTrail record says, read without trusting it.

Records come in many shapes: `requestParameters` may be null, the text "null" or left out because it was too large;
`userIdentity` may be missing, null, or of a type nobody has seen. Nothing here raises on any of them.

Source: CloudTrail record contents, and the userIdentity element, in the AWS CloudTrail user guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from plumbline.core.cause import Cause, Event
from plumbline.core.targets import ALL, GLOBAL, Target

_ACCOUNT_DIGITS = 12
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
#: What `invokedBy` says of calls from the console. Beside it stands the whole identity of whoever sits there: he acts,
#: and no service does.
CONSOLE = ("signin.amazonaws.com", "AWS Internal")
#: An ARN has five colons before its resource.
_ARN_PARTS = 6


def section(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 - records hold anything
    """`value` when it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def parameter(detail: Event, *names: str) -> str:
    """The first of `names` in the request parameters, as text; empty when it is not there."""
    found = section(detail.get("requestParameters"))
    return next((found[name] for name in names if isinstance(found.get(name), str) and found[name]), "")


def answer(detail: Event, *path: str) -> str:
    """The text at `path` below `responseElements`; empty when it is not there."""
    here: Any = detail.get("responseElements")
    for name in path:
        here = section(here).get(name)
    return here if isinstance(here, str) else ""


def account(detail: Event) -> str:
    """The account the event happened in; empty when the record does not say.

    `wakes.from_event` fills it in from EventBridge's envelope where it is missing, as it is from some sign-ins. The
    actor's own account is no substitute: he may come from another one.
    """
    found = detail.get("recipientAccountId")
    return found if isinstance(found, str) and found.isdigit() and len(found) == _ACCOUNT_DIGITS else ""


def here(detail: Event, kind: str, *parts: str, region: str = "") -> tuple[Target, ...]:
    """The target of `kind` that `parts` name, in the event's account; all of that kind where a part is missing.

    Args:
        detail: the CloudTrail record.
        kind: the target's kind.
        *parts: the pieces of its id, in order; an empty one means the event does not say.
        region: the target's region; the event's own when empty.

    Returns:
        the target; every one of its kind where a part, or the region, makes no sense; none without an account.
    """
    owner = account(detail)
    if not owner:
        return ()
    known: list[str] = []
    for part in parts:
        if not part:
            known.append(ALL)
            break
        known.append(part)
    where = region or detail.get("awsRegion")
    if not isinstance(where, str) or (where != GLOBAL and not _REGION.fullmatch(where)):
        return (Target(owner, GLOBAL, kind, ALL),)  # nobody can be asked in a region that is none: look everywhere
    return (Target(owner, where, kind, "/".join(known) or ALL),)


def cause(detail: Event) -> Cause:
    """Who did what, when, from where and with which tool."""
    identity = section(detail.get("userIdentity"))
    return Cause(
        action=_text(detail.get("eventName")),
        who=_who(identity),
        principal=_text(identity.get("arn")) or _text(identity.get("principalId")),
        at=_text(detail.get("eventTime")),
        source=_text(detail.get("sourceIPAddress")),
        tool=_text(detail.get("userAgent")),
        event_id=_text(detail.get("eventID")),
        service=_service(identity),
        issuer=_text(section(section(identity.get("sessionContext")).get("sessionIssuer")).get("arn")),
    )


def is_root(detail: Event) -> bool:
    """Whether the account's root user itself did this: no AWS service on its behalf, no `sts:AssumeRoot` session.

    Another account's root user may act on something here, such as a bucket that lets it in: that is not this one's.
    """
    identity = section(detail.get("userIdentity"))
    session = section(identity.get("sessionContext"))
    return (
        identity.get("type") == "Root"
        and not _is_foreign(identity, detail)
        and not _service(identity)
        and detail.get("eventType") != "AwsServiceEvent"
        and str(session.get("assumedRoot", "")).lower() != "true"
    )


def _is_foreign(identity: Mapping[str, Any], detail: Event) -> bool:
    """Whether an identity belongs to another account than the one the event happened in, as far as both are known."""
    own, here = _text(identity.get("accountId")), account(detail)
    return bool(own and here) and own != here


def _text(value: Any) -> str:  # noqa: ANN401 - records hold anything
    return value if isinstance(value, str) else ""


def _service(identity: Mapping[str, Any]) -> str:
    """The AWS service that acts on behalf of an identity; empty when nobody but the identity itself acts."""
    invoked = _text(identity.get("invokedBy"))
    return "" if invoked in CONSOLE else invoked


def _who(identity: Mapping[str, Any]) -> str:
    """The name a person would use for this identity."""
    kind = _text(identity.get("type"))
    issuer = section(section(identity.get("sessionContext")).get("sessionIssuer"))
    arn = _text(identity.get("arn"))
    parts = arn.split(":", 5)
    resource = parts[5] if len(parts) == _ARN_PARTS else ""
    if kind == "Root":
        return "root"
    if service := _service(identity):
        return f"the AWS service {service}"
    if kind == "AssumedRole" and resource.startswith("assumed-role/"):
        _, role, session = [*resource.split("/", 2), "", ""][:3]
        return f"{_text(issuer.get('userName')) or role} (session {session})"
    if name := _text(identity.get("userName")):
        return name
    if kind == "IdentityCenterUser":
        return f"Identity Center user {_text(section(identity.get('onBehalfOf')).get('userId')) or 'unknown'}"
    if resource:
        return resource.split("/", 1)[-1]
    if kind == "AWSAccount" and _text(identity.get("accountId")):
        return f"account {_text(identity.get('accountId'))}"
    nobody = "AWS itself" if _text(identity.get("invokedBy")) else "somebody the trail does not name"
    return _text(identity.get("principalId")) or nobody

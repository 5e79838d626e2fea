"""How IAM counts a policy, and how AWS's own quarantine of a compromised key is told from others. Pure."""

from __future__ import annotations

import json
import re

from plumbline.rights.documents import Document, statements

_SPACE = re.compile(r"\s")
_QUARANTINE = re.compile(r"AWSCompromisedKeyQuarantine(V\d+)?")


def size(policy: Document) -> int:
    """The characters of a policy as IAM counts them: white space is free.

    Source: IAM user guide, IAM and STS character limits.
    """
    return len(_SPACE.sub("", json.dumps(policy, separators=(",", ":"), ensure_ascii=False)))


def is_quarantine(name: str, policy: Document) -> bool:
    """Whether this is what AWS puts on a user whose key it found in public: called so, and nothing but denials.

    Source: AWS managed policy reference, AWSCompromisedKeyQuarantine and its later versions.
    """
    said = statements(policy)
    return _QUARANTINE.fullmatch(name) is not None and bool(said) and all(one.get("Effect") == "Deny" for one in said)


def ends_sessions(name: str, policy: Document) -> bool:
    """Whether this is what ends a role's older sessions: called as AWS's console does, and nothing but denials.

    Source: IAM user guide, Revoke IAM role temporary security credentials.
    """
    said = statements(policy)
    return name == "AWSRevokeOlderSessions" and bool(said) and all(one.get("Effect") == "Deny" for one in said)


def is_of_aws(name: str, policy: Document) -> bool:
    """Whether an inline policy is AWS's own work: its quarantine, or what ends a role's older sessions."""
    return is_quarantine(name, policy) or ends_sessions(name, policy)


def is_aws_quarantine(arn: str) -> bool:
    """Whether an ARN is that of AWS's own quarantine policy, in any version."""
    return ":iam::aws:policy/" in arn and _QUARANTINE.fullmatch(arn.partition(":policy/")[2]) is not None

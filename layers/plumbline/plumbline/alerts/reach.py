"""What a home region does not hear. Pure."""

from __future__ import annotations

#: Where AWS tells of IAM, of root, and of the bill.
#: Source: AWS CloudTrail user guide, Global service events; Amazon CloudWatch user guide, billing alarms.
EVERYWHERE = "us-east-1"


def unheard(home: str) -> str:
    """What a person has to know who deployed elsewhere than in us-east-1; empty for whoever did not.

    Args:
        home: the region that Plumbline is deployed in.
    """
    if home == EVERYWHERE:
        return ""
    return (
        f"Changes in IAM and of alarms on the bill are not heard in {home}, for AWS tells of them in {EVERYWHERE} "
        "only: the hourly sweep finds them. Root's sign-ins are not told of at all."
    )

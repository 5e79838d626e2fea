"""What a home region does not hear. Pure."""

from __future__ import annotations

#: How the regions of a partition begin, and where AWS tells of IAM and of root there; the first that fits. Where it is
#: not known, nothing is claimed.
#: Source: AWS CloudTrail user guide, Global service events; AWS GovCloud (US) user guide, CloudTrail.
_WHERE = {"us-gov-": "us-gov-west-1", "cn-": "", "": "us-east-1"}


def told_in(home: str) -> str:
    """The region where AWS tells of IAM and of root, for a home region of the same partition; empty where unknown."""
    return next(where for begins, where in _WHERE.items() if home.startswith(begins))


def unheard(home: str) -> str:
    """What a person has to know who deployed elsewhere than there; empty for whoever did not.

    Args:
        home: the region that Plumbline is deployed in.
    """
    where = told_in(home)
    if home == where or not where:
        return ""
    return (
        f"Changes in IAM and of alarms on the bill are not heard in {home}, for AWS tells of them in {where} "
        "only: the hourly sweep finds them. Root's sign-ins are not told of at all."
    )

"""What the controls about root's credentials share: what AWS tells of them, and whose event it is. Pure.

Source: IAM API reference, GetAccountSummary; IAM user guide, AWS account root user.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from plumbline.core.calls import Ask, Call
from plumbline.core.cause import Event
from plumbline.core.targets import GLOBAL, Target
from plumbline.wakes import cloudtrail

ROOT = "root"
#: How some events call root where a user's name belongs; no user's name has a space.
#: Source: AWS CloudTrail user guide, AWS Management Console sign-in events, "Root user, MFA settings changed".
_AS_A_USER = "AWS ROOT USER"
#: One call answers for every credential of root's, so the controls share it.
_SUMMARY = Call("iam", "GetAccountSummary")
#: Short enough for what follows it to be read in lists too, which show the beginning.
#: Source: IAM user guide, Delete access keys for the root user, and Enable a virtual MFA device for the root user.
SIGN_IN = "Sign in as root, choose the account's name at the upper right and then Security credentials"
#: How else an account can be rid of root's credentials: without anybody who signs in as root.
CENTRALLY = (
    "in a member account of an organisation its management account can take root's credentials away instead (IAM user "
    "guide, Centrally manage root access for member accounts)"
)
#: Events of root's alone; a user's own calls of the same names are many.
BY_ROOT: Mapping[str, Any] = {"userIdentity": {"type": ["Root"]}}


def its_own(detail: Event, kind: str) -> Iterable[Target]:
    """Root, where an event is about its own credentials and not about a user's that root sees to.

    So are the calls of an organisation's management account that acts for root (`sts:AssumeRoot`).

    Args:
        detail: the CloudTrail record.
        kind: the kind of the target.
    """
    named = cloudtrail.parameter(detail, "userName") or cloudtrail.answer(detail, "accessKey", "userName")
    return cloudtrail.here(detail, kind, ROOT, region=GLOBAL) if named in ("", _AS_A_USER) else ()


def found(ask: Ask, kind: str) -> Iterable[Target]:
    """The account has one."""
    yield Target(ask.account, GLOBAL, kind, ROOT)


def credentials(ask: Ask) -> Mapping[str, bool]:
    """Which credentials root has: `mfa`, `password`, `keys`, active or not, and `certificates` to sign with.

    A password that AWS says nothing of counts as one.
    """
    summary = ask(_SUMMARY)["SummaryMap"]
    return {
        "mfa": bool(summary.get("AccountMFAEnabled")),
        "password": bool(summary.get("AccountPasswordPresent", True)),
        "keys": bool(summary.get("AccountAccessKeysPresent")),
        "certificates": bool(summary.get("AccountSigningCertificatesPresent")),
    }

"""Which single document makes its holder an administrator, whoever he is and whatever account it stands in. Pure."""

from __future__ import annotations

from plumbline.core.targets import ALL
from plumbline.rights.account import Account, Principal
from plumbline.rights.asked import fresh
from plumbline.rights.documents import Document, Statement, listed, statements
from plumbline.rights.effective import may
from plumbline.rights.ways import Judge

#: AWS's own policies that make their holder an administrator, by path and name; those of service-linked roles are left
#: out. They are known by name, so that nobody has to read what everybody else holds.
#: Source: the AWS managed policy reference as moto carries it; a test compares.
AWS_ADMIN_POLICIES = frozenset(
    {
        "AWSManagedAccountManagementAccess",
        "AWSManagedSettingsAdminAccess",
        "AdministratorAccess",
        "AdministratorAccess-Amplify",
        "IAMFullAccess",
        "WellArchitectedConsoleFullAccess",
        "service-role/AWSCodeStarServiceRole",
    }
)
_ARN_PARTS = 6
_HOLDER = "arn:aws:iam::000000000000:user/holder"


def admin_reason(policy: Document) -> str:
    """Why a policy makes its holder an administrator; empty when it does not.

    What counts: everything everywhere, everything but a few things with IAM among the rest, all of IAM, and each way to
    give oneself any right (`lead.DIRECT`). What the same document denies is taken off. Conditions that only the moment
    decides, such as who asks from where, make no difference.

    What does not count: a boundary, since it is no part of the document, and rights that only several documents
    together give. `ways.Judge` asks for both.
    """
    anywhere = {**policy, "Statement": [_anywhere(one) for one in statements(policy)]}
    holder = Principal(_HOLDER, "holder", "user", (anywhere,))
    return _everything(holder, anywhere) or _way(holder)


def _everything(holder: Principal, policy: Document) -> str:
    some = fresh(holder)
    if not may(holder, f"iam:{some}", f"arn:aws:iam::000000000000:user/{some}"):
        return ""
    if not may(holder, f"{some}:{some}", f"arn:aws:{some}:::{some}"):
        return "allows every IAM action on every resource, and so any other"
    if any(one.get("Effect") == "Allow" and "NotAction" not in one for one in statements(policy)):
        return "allows every action on every resource"
    return "allows all but a few actions on every resource (NotAction), those of IAM among them"


def _way(holder: Principal) -> str:
    first = next(iter(Judge(Account({})).direct(holder)), None)
    return f"its holder {first.sentence}" if first else ""


def _anywhere(statement: Statement) -> Statement:
    """A statement with the partition and the account of its ARNs left open: they are those that it stands in."""
    patterns = {
        name: [_open(str(one)) for one in listed(statement[name])]
        for name in ("Resource", "NotResource")
        if name in statement
    }
    return {**statement, **patterns}


def _open(pattern: str) -> str:
    parts = pattern.split(":", _ARN_PARTS - 1)
    if parts[0] == "arn" and len(parts) > 1:
        parts[1] = ALL
    if parts[0] == "arn" and len(parts) == _ARN_PARTS:
        parts[4] = ALL
    return ":".join(parts)

"""Whether anything of a user bears on who could come in as an administrator, before his whole account is weighed.

Most users' rights are about other services, and no role names them: of those that is seen at once, and what weighs
rights is not even loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from plumbline.controls.iam._principals import EVERYTHING, default_document
from plumbline.core.calls import Ask
from plumbline.core.loose import loosely
from plumbline.core.names import folded
from plumbline.rights.documents import Document, document, listed, statements

#: What it takes to know who could come in: who there is, how each signs in, and whose account manages this one.
WAY_IN_READS = frozenset(
    {
        "iam:GetAccountAuthorizationDetails",
        "iam:GetLoginProfile",
        "iam:ListMFADevices",
        "iam:ListOpenIDConnectProviders",
        "iam:ListSAMLProviders",
        "organizations:DescribeOrganization",
    }
)
#: Whose actions make administrators at once, or lead to being one; see rights/paths_by_iam.py.
LEADING = ("iam", "sts")
_WILD = "*?"


def administrators_where_it_matters(ask: Ask) -> Callable[[str], list[dict[str, Any]]]:
    """Asks who is an administrator, where something is taken from a user who is one, or may become one.

    Returns:
        A user's name -> the administrators, himself among them; none where nothing of his leads to such rights. The
        account is read when it is first asked.
    """

    def administrators(user: str) -> list[dict[str, Any]]:
        if ask.once(Bearing).is_harmless(user):
            return []
        from plumbline.controls.iam._administrators import where_it_leads  # it takes all of rights/

        return where_it_leads(ask, user)

    return administrators


class Bearing:
    """What of an account's users bears on who could come in, as far as the words of their policies say.

    Args:
        ask: performs reads.
    """

    def __init__(self, ask: Ask) -> None:
        everything = ask(EVERYTHING)
        self._users = {folded(one["UserName"]): one for one in everything["UserDetailList"]}
        self._groups = {one["GroupName"]: one for one in everything["GroupDetailList"]}
        self._policies = {one["Arn"]: one for one in everything["Policies"]}
        self._roles = everything["RoleDetailList"]
        self._group_leads = cache(loosely(self._is_leading_group))
        self._policy_leads = cache(loosely(self._is_leading_policy))
        self._named = cache(loosely(self._named_by_roles))

    def is_harmless(self, user: str) -> bool:
        """Whether nothing of a user can make him an administrator or let him become one: nobody has to weigh it.

        What he has of his own and of his groups allows nothing of IAM or STS, and no role trusts him by name. AWS's own
        policies are not read. False says nothing: then it is weighed.
        """
        me = self._users.get(folded(user))
        if me is None:
            return True
        if self._leads(me, "User") or any(map(self._group_leads, me.get("GroupList") or ())):
            return False
        return me["Arn"] not in self._named()

    def _leads(self, holder: Mapping[str, Any], kind: str) -> bool:
        """Whether what a user or group holds itself may lead anywhere."""
        inline = holder.get(f"{kind}PolicyList") or ()
        attached = holder.get("AttachedManagedPolicies") or ()
        return any(_leads(document(one["PolicyDocument"])) for one in inline) or any(
            self._policy_leads(one["PolicyArn"]) for one in attached
        )

    def _is_leading_group(self, name: str) -> bool:
        return self._leads(self._groups.get(name, {}), "Group")

    def _is_leading_policy(self, arn: str) -> bool:
        """Whether a managed policy may lead anywhere: what AWS's own ones say is not read."""
        own = self._policies.get(arn)
        return own is None or _leads(default_document(own))

    def _named_by_roles(self) -> frozenset[str]:
        """Whom any role trusts by name."""
        trusts = (document(one.get("AssumeRolePolicyDocument")) for one in self._roles)
        named = (one.get("Principal") for trust in trusts for one in statements(trust))
        return frozenset(str(who) for one in named if isinstance(one, Mapping) for who in listed(one.get("AWS")))


def _leads(text: Document) -> bool:
    """Whether a document allows any action of IAM or STS."""
    return any(
        one.get("Effect") == "Allow" and ("NotAction" in one or any(map(_is_leading, listed(one.get("Action")))))
        for one in statements(text)
    )


def _is_leading(action: object) -> bool:
    service = str(action).partition(":")[0].lower()
    return service in LEADING or any(one in service for one in _WILD)

"""What a published way to administrator rights consists of: what it takes, and what it leads through."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Lead(Enum):
    """What a path needs of the account, besides the actions."""

    ITSELF = "its holder: he rewrites his own rights"
    OWN_GROUP = "a group its holder is in"
    OWN_POLICY = "a customer managed policy that its holder has"
    OWN_VERSION = "a version of such a policy that makes administrators"
    GROUP = "a group that makes administrators"
    NEW_USER = "nothing: its holder makes himself a user"
    NEW_ROLE = "nothing: its holder makes himself a role"
    EVERY = "nothing more: it reaches everything of its kind, the administrators among them"
    USER = "a user who is an administrator"
    ROLE = "a role that is an administrator, for its trust to be rewritten"
    ASSUMED = "a role that is an administrator and trusts its holder"
    OTHER_USER = "any user, to be made an administrator and used"
    TRUSTING_ROLE = "a role that trusts its holder, to be made an administrator"
    TRUSTING_POLICY = "a customer managed policy of such a role"
    OTHER_ROLE = "any role, to be made an administrator and trusting"
    OTHER_POLICY = "a customer managed policy of any role, that role to be made trusting"
    PASSED = "a role that is an administrator and trusts the service"
    STACK_SET = "a role that is an administrator and trusts one that CloudFormation may use"
    RUNNING = "something that runs with a role that is an administrator"


@dataclass(frozen=True, slots=True)
class Path:
    """One way to administrator rights.

    Attributes:
        id: as published.
        lead: what it needs of the account.
        actions: what its holder needs, the one that decides first.
        does: what its holder can do, as it reads after "may"; `{}` is the name of what it leads through.
        services: who must be trusted by the role, any of these; the first is who acts.
        kind: the kind of thing that runs, or that `EVERY` is about.
        elsewhere: those of `actions` that are about another thing than what the path leads through.
        unseen: what its holder can do, where nobody has read what runs and a role is all that is known.
    """

    id: str
    lead: Lead
    actions: tuple[str, ...]
    does: str
    services: tuple[str, ...] = ()
    kind: str = ""
    elsewhere: tuple[str, ...] = ()
    unseen: str = ""

    @property
    def source(self) -> str:
        """Who published it."""
        if self.id.startswith("own-"):
            return "IAM user guide"
        return "Rhino Security Labs" if self.id.startswith("rhino-") else "pathfinding.cloud"

    @property
    def direct(self) -> bool:
        """Whether its holder gives himself everything, whatever else there is in the account."""
        return self.lead in DIRECT


DIRECT = frozenset(
    {
        Lead.ITSELF,
        Lead.OWN_GROUP,
        Lead.OWN_POLICY,
        Lead.OWN_VERSION,
        Lead.GROUP,
        Lead.NEW_USER,
        Lead.NEW_ROLE,
        Lead.EVERY,
    }
)

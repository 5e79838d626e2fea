"""What an account has that ways to administrator rights lead through, each looked for once. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

from plumbline.rights.account import Account, Principal
from plumbline.rights.documents import Document
from plumbline.rights.effective import Memo, may
from plumbline.rights.lead import Lead, Path
from plumbline.rights.paths import PATHS
from plumbline.rights.trust import Trust

#: Whether one of some paths leads a principal somewhere.
IsLed = Callable[[Principal, Iterable[Path]], bool]
#: Nobody but AWS can make, change or pass roles below these paths, or assume them.
_AWS_OWN = (":role/aws-service-role/", ":role/aws-reserved/")
_DIRECT = tuple(path for path in PATHS if path.direct)
_WITHOUT_GROUPS = tuple(path for path in _DIRECT if path.lead is not Lead.GROUP)
_BY_GROUP = tuple(path for path in _DIRECT if path.lead is Lead.GROUP)
_ANYBODY = "arn:aws:iam::000000000000:user/anybody"
#: AWS's own policies that an intruder would attach.
_AWS_MAKERS = ("AdministratorAccess", "IAMFullAccess")


class Known:
    """One account.

    Args:
        account: as it was read.
        memo: what was read of documents.
        is_led: whether one of some paths leads a principal somewhere.
    """

    def __init__(self, account: Account, memo: Memo, is_led: IsLed) -> None:
        self.account = account
        self.memo = memo
        self.trust = Trust(memo)
        self._is_led = is_led
        self._administrators: frozenset[str] | None = None
        self._makers: tuple[str, ...] | None = None

    @property
    def administrators(self) -> frozenset[str]:
        """The ARNs of all who give themselves everything, whatever else there is."""
        if self._administrators is None:
            those = self.account.principals
            first = frozenset(arn for arn, one in those.items() if self._is_led(one, _WITHOUT_GROUPS))
            self._administrators = first
            # Joining a group counts once it is known which groups make administrators.
            self._administrators |= {
                arn for arn, one in those.items() if arn not in first and self._is_led(one, _BY_GROUP)
            }
        return self._administrators

    @property
    def makers(self) -> tuple[str, ...]:
        """The ARNs of policies that make administrators of whoever has one."""
        if self._makers is None:
            partition = next(iter(self.account.principals.values())).partition if self.account.principals else "aws"
            # Whether a policy makes administrators may depend on which policies it lets attach: AWS's own count first.
            self._makers = tuple(f"arn:{partition}:iam::aws:policy/{name}" for name in _AWS_MAKERS)
            own = self.account.policies.items()
            self._makers += tuple(arn for arn, one in own if self.everything(one.document))
        return self._makers

    def everything(self, policy: Document) -> bool:
        """Whether whoever holds a policy, and nothing else, gives himself everything."""
        some = next(iter(self.account.principals.values()), None)
        arn = f"arn:{some.partition}:iam::{some.account}:user/anybody" if some else _ANYBODY
        return self._is_led(Principal(arn, "anybody", "user", (policy,)), _WITHOUT_GROUPS)

    @cached_property
    def roles(self) -> tuple[Principal, ...]:
        """The roles that people of this account may change, pass and assume."""
        return tuple(
            one
            for one in self.account.principals.values()
            if one.kind == "role" and not any(own in one.arn for own in _AWS_OWN)
        )

    @cached_property
    def users(self) -> tuple[Principal, ...]:
        """The users."""
        return tuple(one for one in self.account.principals.values() if one.kind == "user")

    @cached_property
    def strong_roles(self) -> tuple[Principal, ...]:
        """The roles among them that are administrators."""
        return tuple(one for one in self.roles if one.arn in self.administrators)

    @cached_property
    def strong_users(self) -> tuple[Principal, ...]:
        """The users who are administrators."""
        return tuple(one for one in self.users if one.arn in self.administrators)

    @cached_property
    def strong_groups(self) -> tuple[Principal, ...]:
        """The groups that make administrators."""
        return tuple(
            one for arn, one in self.account.principals.items() if one.kind == "group" and arn in self.administrators
        )

    def trusting(self, services: Iterable[str]) -> tuple[Principal, ...]:
        """The administrator roles that trust one of these services."""
        return tuple(one for one in self.strong_roles if self.trust.services(one) & frozenset(services))

    @cached_property
    def through_stack_sets(self) -> tuple[tuple[Principal, Principal], ...]:
        """Each role that CloudFormation may use, with the administrator roles that it may assume."""
        able = [one for one in self.roles if "cloudformation.amazonaws.com" in self.trust.services(one)]
        return tuple((one, strong) for one in able for strong in self.strong_roles if self.assumes(one, strong))

    def assumes(self, principal: Principal, role: Principal) -> bool:
        """Whether a principal may assume a role, by what it is allowed and by whom the role trusts."""
        return self.trust.lets(role, principal) and bool(may(principal, "sts:AssumeRole", role.arn, memo=self.memo))

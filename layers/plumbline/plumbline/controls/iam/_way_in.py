"""Who could come in as an administrator: the reading half of the last way in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache

from plumbline.controls.iam._machinery import management_account
from plumbline.controls.iam._principals import EVERYTHING, GONE
from plumbline.core.calls import Ask, Call
from plumbline.core.loose import loosely
from plumbline.rights.account import Principal, account_of
from plumbline.rights.effective import Memo
from plumbline.rights.way_in import doors, may_become, unusable

#: As documents are asked about it: see `effective.Memo`.
_ASSUME = "sts:assumerole"


class WaysIn:
    """Who of an account could come in. Each question is asked once, and only where an answer hangs on it.

    Args:
        ask: performs reads.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._account = cache(lambda: account_of(ask(EVERYTHING)))
        self._memo = Memo()
        self._named = cache(loosely(self._by_name))
        self._speaks = cache(loosely(self._speaks_of_roles))
        self._whom = cache(loosely(self._trusted_by))
        self._speaking = cache(loosely(self._who_speak))
        self.lacks = cache(loosely(self._lacks))
        self.providers = cache(loosely(self._providers))

    def unusable(self, kind: str, name: str, gone: Collection[str] = ()) -> str:
        """Why nobody could come in as a user or role; empty where somebody can.

        Args:
            kind: `user` or `role`.
            name: with its path or without.
            gone: the ARNs of those who can be nobody's way in.
        """
        found = self._named().get((kind, name.rpartition("/")[2]))
        return unusable(found, _Fewer(self, gone) if gone else self) if found else "is gone"

    def may_become(self, user: str, role: str) -> bool:
        """Whether a user may use a role, each named with its path or without."""
        one, other = (
            self._named().get((kind, name.rpartition("/")[2])) for kind, name in (("user", user), ("role", role))
        )
        if one is None or other is None:
            return False
        # Whose documents speak of no role at all may use those alone that name him: so are most of many users.
        if not self._speaks(one.name) and one.arn not in self._whom(other.name):
            return False
        return may_become(one, other, self._memo)

    def _by_name(self) -> dict[tuple[str, str], Principal]:
        return {(one.kind, one.name): one for one in self._account().principals.values()}

    def _speaks_of_roles(self, user: str) -> bool:
        return any(self._memo.about(text, _ASSUME) for text in self._named()["user", user].documents)

    def _trusted_by(self, role: str) -> frozenset[str]:
        return frozenset(who for kind, who in doors(self._named()["role", role].trust) if kind == "AWS")

    def management(self) -> str | None:
        """See `way_in.People`."""
        return self._ask.once(management_account)

    def users(self, role: Principal) -> Iterable[Principal]:
        """See `way_in.People`."""
        named = (self._account().principals.get(who) for who in sorted(self._whom(role.name)))
        return [*self._speaking(), *(one for one in named if one and one.kind == "user" and not self._speaks(one.name))]

    def _who_speak(self) -> list[Principal]:
        return [one for one in self._account().principals.values() if one.kind == "user" and self._speaks(one.name)]

    def _lacks(self, user: str) -> str:
        """See `way_in.People`."""
        if not self._has_device(user):
            return "has no MFA device"
        return "" if self._ask(_password(user)) else "has no console password"

    def _has_device(self, user: str) -> bool:
        return bool((self._ask(_devices(user)) or {}).get("MFADevices"))

    def foresee(self, users: Iterable[str]) -> None:
        """Have what is read that `unusable` will ask of these users."""
        names = list(users)
        self._ask.foresee([_devices(one) for one in names])
        self._ask.foresee([_password(one) for one in names if self._has_device(one)])

    def _providers(self) -> frozenset[str]:
        """See `way_in.People`."""
        saml = self._ask(Call("iam", "ListSAMLProviders"))["SAMLProviderList"]
        connect = self._ask(Call("iam", "ListOpenIDConnectProviders"))["OpenIDConnectProviderList"]
        return frozenset(one["Arn"] for one in (*saml, *connect))


def _devices(user: str) -> Call:
    return Call("iam", "ListMFADevices", {"UserName": user}, absent=GONE)


def _password(user: str) -> Call:
    return Call("iam", "GetLoginProfile", {"UserName": user}, absent=GONE)


@dataclass(frozen=True, slots=True)
class _Fewer:
    """The same people without some of them, as `way_in.People`."""

    ways_in: WaysIn
    gone: Collection[str]

    def lacks(self, user: str) -> str:
        """See `way_in.People`."""
        return self.ways_in.lacks(user)

    def providers(self) -> frozenset[str]:
        """See `way_in.People`."""
        return self.ways_in.providers()

    def management(self) -> str | None:
        """See `way_in.People`."""
        return self.ways_in.management()

    def users(self, role: Principal) -> Iterable[Principal]:
        """See `way_in.People`."""
        return (one for one in self.ways_in.users(role) if one.arn not in self.gone)

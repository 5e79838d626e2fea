"""By which published paths a principal could become an administrator of its account. Pure.

A path counts where the principal may make its calls, and the account has what it leads through: a user, group, role or
policy that is there, something that runs with a role, or a thing that the call itself would make.

An administrator is who gives himself everything, whatever else there is. Who could become one through what there is has
a way. Both are asked with the permissions boundary counted, as long as its holder cannot take it off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from plumbline.core.loose import loosely
from plumbline.rights.account import Account, Principal
from plumbline.rights.asked import Asked, fresh, name_of
from plumbline.rights.documents import Document
from plumbline.rights.effective import Context, Memo, Verdict, may
from plumbline.rights.known import Known
from plumbline.rights.lead import Path
from plumbline.rights.leads import LEADS
from plumbline.rights.paths import ACTIONS, PATHS

_LOWER = {action.lower(): action for action in ACTIONS}
_DIRECT = tuple(path for path in PATHS if path.direct)
_THROUGH = tuple(path for path in PATHS if not path.direct)


@dataclass(frozen=True, slots=True)
class Way:
    """A path that leads somewhere.

    Attributes:
        path: its id.
        actions: what it takes.
        through: the ARN of what it leads through; the principal's own where it rewrites itself or everything.
        sentence: what the principal may do, as it reads after its name.
        direct: whether it gives itself everything, whatever else there is.
    """

    path: str
    actions: tuple[str, ...]
    through: str
    sentence: str
    direct: bool


def ways(account: Account, principal: Principal) -> tuple[Way, ...]:
    """Every published path by which a principal could become an administrator here, direct ones first.

    Who looks at many principals of one account makes one `Judge`, which remembers.
    """
    return Judge(account).ways(principal)


class Judge:
    """The ways of one account's principals. It remembers what documents say, so that each is read once."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._memo = Memo()
        self._speaks: dict[int, frozenset[str]] = {}
        self._groups: dict[str, tuple[tuple[Document, ...], tuple[Way, ...]]] = {}
        self.known = Known(account, self._memo, loosely(self._is_led))

    @property
    def administrators(self) -> frozenset[str]:
        """The ARNs of all who give themselves everything, whatever else there is."""
        return self.known.administrators

    def may(self, principal: Principal, action: str, resource: str = "*", context: Context | None = None) -> Verdict:
        """As `effective.may`."""
        return may(principal, action, resource, context, memo=self._memo)

    def ways(self, principal: Principal) -> tuple[Way, ...]:
        """Every path by which a principal could become an administrator here, direct ones first."""
        if principal.kind != "group":
            return self._ways(principal)
        # asked again for each of its members
        known = self._groups.get(principal.arn)
        if known is None or known[0] != principal.documents:
            known = self._groups[principal.arn] = (principal.documents, self._ways(principal))
        return known[1]

    def _ways(self, principal: Principal) -> tuple[Way, ...]:
        through = (way for way in self._found(_THROUGH, principal) if way.through != principal.arn)
        return (*self.direct(principal), *through)

    def direct(self, principal: Principal) -> tuple[Way, ...]:
        """The paths by which a principal gives itself everything, whatever else there is."""
        return tuple(self._found(_DIRECT, principal))

    def is_direct(self, principal: Principal) -> bool:
        """Whether a principal gives itself everything, whatever else there is."""
        return self._is_led(principal, _DIRECT)

    def speaks_of(self, principal: Principal) -> frozenset[str]:
        """The actions of any path that some document of a principal allows on something."""
        return frozenset().union(*(self._spoken(text) for text in principal.documents))

    def spoken(self, principal: Principal) -> Mapping[str, frozenset[str]]:
        """The source of each of its documents -> the actions of any path that it allows on something."""
        return {source: self._spoken(text) for source, text in zip(principal.sources, principal.documents, strict=True)}

    def _is_led(self, principal: Principal, paths: Iterable[Path]) -> bool:
        return next(self._found(paths, principal), None) is not None

    def _spoken(self, text: Document) -> frozenset[str]:
        known = self._speaks.get(id(text))
        if known is None:
            said = (one.spoken(_LOWER) for one in self._memo.of(text) if one.allow)
            known = frozenset(action for one in said for action in one)
            self._speaks[id(text)] = known
        return known

    def _found(self, paths: Iterable[Path], principal: Principal) -> Iterator[Way]:
        spoken = self.speaks_of(principal)
        if not spoken:
            return
        asked = Asked(self.known, acting(principal))
        for path in paths:
            if spoken.issuperset(path.actions):
                for one in LEADS[path.lead](asked, path):
                    through, does = one if isinstance(one, tuple) else (one, path.does.format(name_of(one)))
                    yield Way(path.id, path.actions, through, f"may {does}", path.direct)


def acting(principal: Principal) -> Principal:
    """Who acts by a principal's rights: of a group somebody who is in it and nowhere else."""
    if principal.kind != "group":
        return principal
    name = f"member-{fresh(principal)}"
    arn = f"{principal.arn.partition(':group/')[0]}:user/{name}"
    return replace(principal, arn=arn, name=name, kind="user", groups=(principal.arn,))

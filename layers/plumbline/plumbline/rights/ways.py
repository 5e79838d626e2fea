"""By which published paths a principal could become an administrator of its account. Pure.

A path counts where the principal may make its calls, and the account has what it leads through: a user, group, role or
policy that is there, or a fresh one that a call would make.
"""

from __future__ import annotations

from dataclasses import dataclass

from plumbline.rights.account import Account, Principal
from plumbline.rights.effective import Memo, may
from plumbline.rights.paths import PATHS, Lead, Path


@dataclass(frozen=True, slots=True)
class Way:
    """A path that leads somewhere.

    Attributes:
        path: its id.
        actions: what it takes.
        through: the ARN of what it leads through; the principal's own where it rewrites itself.
        sentence: what the principal may do, as it reads after its name.
        direct: whether it gives itself everything, whatever else there is.
    """

    path: str
    actions: tuple[str, ...]
    through: str
    sentence: str
    direct: bool


def ways(account: Account, principal: Principal) -> tuple[Way, ...]:
    """Every published path by which a principal could become an administrator here, direct ones first."""
    memo = Memo()
    found = [
        Way(path.id, path.needs, through, f"may {path.does.format(_name(through))}", path.direct)
        for path in PATHS
        for through in _throughs(path, account, principal)
        if all(may(principal, action, through, memo=memo) for action in path.actions)
    ]
    return tuple(sorted(found, key=lambda way: not way.direct))


def _throughs(path: Path, account: Account, principal: Principal) -> tuple[str, ...]:
    if path.lead is Lead.ITSELF:
        return (principal.arn,) if principal.kind in path.actions[0].lower() else ()
    if path.lead is Lead.OWN_GROUP:
        return principal.groups
    if path.lead is Lead.OWN_POLICY:
        return tuple(arn for arn in account.policies if any(one.endswith(arn) for one in principal.sources))
    return ()


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]

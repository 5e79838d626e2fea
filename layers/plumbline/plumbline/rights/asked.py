"""What one principal may do to others of its account and to new things, each question asked once. Pure.

No name is made up for what is there. Where a call names a new thing, the name follows from the principal's own
documents, so that no document can deny it and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from plumbline.rights.account import Principal
from plumbline.rights.documents import matches_exactly
from plumbline.rights.effective import Context, Request, may
from plumbline.rights.known import Known
from plumbline.rights.paths import ALSO, ASKED_OF, RESOURCES, WITHOUT_RESOURCE


def fresh(principal: Principal) -> str:
    """A name that no document of a principal can have in mind: it follows from what they say."""
    said = json.dumps([principal.documents, principal.boundary], sort_keys=True, default=str)
    return f"n{hashlib.sha256(said.encode()).hexdigest()[:20]}"


class Asked:
    """One principal's questions, each asked once."""

    def __init__(self, known: Known, principal: Principal) -> None:
        self.known, self.principal, self.account = known, principal, known.account
        self._somewhere: dict[str, bool] = {}

    def may(self, action: str, resource: str, context: Context | None = None) -> bool:
        """Whether the principal may do an action on a resource."""
        there = self.account.principals.get(resource)
        tags = there.tags if there else None
        return bool(may(self.principal, action, resource, context, tags=tags, memo=self.known.memo))

    @cached_property
    def fresh(self) -> str:
        """The name of something new."""
        return fresh(self.principal)

    def iam(self, kind: str, name: str) -> str:
        """The ARN of a user, group, role or policy without a path."""
        return f"arn:{self.principal.partition}:iam::{self.principal.account}:{kind}/{name}"

    @cached_property
    def unbound(self) -> bool:
        """Whether no boundary holds what this principal gives itself."""
        return self.free(self.principal)

    def free(self, one: Principal) -> bool:
        """Whether what is given to a user or role has effect: no boundary limits it, or that can be taken off."""
        if not one.bounded_by and one.boundary is None:
            return True
        if one.boundary is None or self.known.everything(one.boundary):
            return True
        return self.may(f"iam:Delete{one.kind.capitalize()}PermissionsBoundary", one.arn)

    @cached_property
    def attachable(self) -> tuple[str, ...]:
        """The policies that this principal could turn into an administrator's and attach."""
        mine = [arn for arn in self.account.policies if self.may("iam:CreatePolicyVersion", arn)]
        made = self.places("iam:CreatePolicy", lambda name: self.iam("policy", name))
        return (*mine, *made)

    def gives(self, action: str, one: Principal) -> bool:
        """Whether this principal may give a user, group or role everything by an action."""
        bound = {} if one.kind == "group" else {"iam:PermissionsBoundary": one.bounded_by or None}
        # Any policy first: for most, that is the end of it.
        if not self.may(action, one.arn, bound) or (one.kind != "group" and not self.free(one)):
            return False
        if not action.startswith("iam:Attach"):
            return True
        return any(self.may(action, one.arn, {**bound, "iam:PolicyARN": arn}) for arn in self._policies())

    def _policies(self) -> Iterator[str]:
        yield from self.known.makers
        yield from self.attachable

    def places(self, action: str, made: Callable[[str], str]) -> list[str]:
        """ARNs of new things that an action may be called on: what its statements name, and any name at all.

        Args:
            action: what is called.
            made: name -> the ARN of a thing of the kind that the action is about.
        """
        form, candidates = made("*"), [made(self.fresh)]
        for text in self.principal.documents:
            for said in self.known.memo.about(text, action.lower()):
                if said.allow and not said.elsewhere:
                    candidates += [one for pattern in said.resources for one in self._covered(pattern, made)]
        return [one for one in dict.fromkeys(candidates) if matches_exactly(form, one) and self.may(action, one)]

    def _covered(self, pattern: str, made: Callable[[str], str]) -> tuple[str, ...]:
        """Things that a pattern of a statement may cover: the pattern with its open places filled, and by the name."""
        if pattern == "*":
            return ()
        filled = (self.request.filled(pattern, widely=True) or "").replace("?", "n")
        mine, like = filled.split(":", 5), made(self.fresh).split(":", 5)
        whole = [other if part == "*" else part for part, other in zip(mine, like, strict=False)]
        name = re.split("[/:]", filled)[-1]
        return (":".join(whole).replace("*", self.fresh), made(name.replace("*", self.fresh)))

    @cached_property
    def request(self) -> Request:
        """Any request of this principal, for the variables in its policies."""
        return Request(self.principal, "", "*", {})

    def somewhere(self, action: str) -> bool:
        """Whether an action may be called on anything at all."""
        if action not in self._somewhere:
            self._somewhere[action] = bool(
                self.may(action, "*")
                if action in WITHOUT_RESOURCE
                else self.places(action, lambda name: _at(self.principal, action, name))
            )
        return self._somewhere[action]

    def anywhere(self, action: str) -> bool:
        """Whether an action may be called on a thing of any name."""
        one = "*" if action in WITHOUT_RESOURCE else _at(self.principal, action, self.fresh)
        return self.may(action, one)

    def whatever(self, action: str) -> bool:
        """Whether what an action is asked on besides leaves it any use."""
        me = self.principal
        also = [one.format(partition=me.partition, account=me.account, name=self.fresh) for one in ALSO.get(action, ())]
        return not also or any(self.may(action, one) for one in also)

    def passes(self, role: Principal, services: Iterable[str]) -> bool:
        """Whether a role may be passed to one of these services."""
        return any(self.may("iam:PassRole", role.arn, {"iam:PassedToService": one}) for one in services)


def _at(principal: Principal, action: str, name: str) -> str:
    """The ARN of something new that an action is about, in some region."""
    service = action.partition(":")[0]
    form = RESOURCES.get(action) or RESOURCES.get(service, "{}")
    where = f"{ASKED_OF.get(service, service)}:{name}:{principal.account}"
    return f"arn:{principal.partition}:{where}:{form.replace('{}', name)}"


def name_of(arn: str) -> str:
    """The name at the end of an ARN."""
    return arn.rpartition("/")[2]

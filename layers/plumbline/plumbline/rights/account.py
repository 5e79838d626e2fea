"""The principals of one account with all that gives them rights, as data. Pure.

Everything here follows from the bulk read of an account's authorization details; what that leaves out (what AWS's own
policies say, what runs with which role) is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from plumbline.rights.documents import Document, document

_KINDS = {"user": "User", "group": "Group", "role": "Role"}
_ARN_PARTS = 6
#: Roles that belong to AWS's services: nobody here can use, pass or change them.
_SERVICE_LINKED = "/aws-service-role/"
#: What nobody has to read: it says the same in every account and for ever.
#: Source: AWS managed policy reference, AdministratorAccess.
EVERYTHING_ALLOWED: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
_ALLOWS_EVERYTHING = ":iam::aws:policy/AdministratorAccess"


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, group or role, and every document that bears on what it may do.

    Attributes:
        arn: with its path, as AWS spells it.
        name: without its path.
        kind: `user`, `group` or `role`.
        documents: inline and attached policies; of a user its groups' too.
        sources: where each of `documents` stands: the ARN of a managed policy, `inline NAME` of an inline one, and
            before either `group NAME: ` where a user has it from a group. May be left out.
        boundary: the permissions boundary; None where there is none, or nobody could read it.
        bounded_by: the boundary's ARN; empty where there is none.
        trust: who may assume a role.
        groups: the ARNs of a user's groups.
        tags: its tags.
        profiles: the ARNs of a role's instance profiles.
    """

    arn: str
    name: str
    kind: str
    documents: tuple[Document, ...] = ()
    sources: tuple[str, ...] = ()
    boundary: Document | None = None
    bounded_by: str = ""
    trust: Document = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()

    @property
    def account(self) -> str:
        """The number of its account."""
        parts = self.arn.split(":", _ARN_PARTS - 1)
        return parts[4] if len(parts) == _ARN_PARTS else ""

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return self.arn.split(":", 2)[1]


@dataclass(frozen=True, slots=True)
class Running:
    """Something that runs with a role.

    Attributes:
        kind: as the paths name it, such as `lambda-function`.
        arn: of the thing itself.
        role: the ARN of its role.
    """

    kind: str
    arn: str
    role: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A customer managed policy.

    Attributes:
        arn: with its path.
        document: what its default version says.
        others: version -> what each other one says.
    """

    arn: str
    document: Document
    others: Mapping[str, Document] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """What ways lead through.

    Attributes:
        principals: by ARN.
        policies: the account's own, by ARN.
        running: what runs with which role, as far as it was read.
        read: the kinds of `Running` that were read. Of the others a role that trusts their service is the evidence.
    """

    principals: Mapping[str, Principal]
    policies: Mapping[str, Policy] = field(default_factory=dict)
    running: tuple[Running, ...] = ()
    read: frozenset[str] = frozenset()


def account_of(
    details: Mapping[str, Any],
    *,
    managed: Mapping[str, Document] | None = None,
    running: Sequence[Running] = (),
    read: frozenset[str] = frozenset(),
) -> Account:
    """The account that GetAccountAuthorizationDetails tells of, without service-linked roles.

    Args:
        details: its answer, all pages together.
        managed: what AWS's own policies say, by ARN; one that is missing is taken to say nothing.
        running: what runs with which role.
        read: the kinds of `running` that were looked for.
    """
    policies = {one["Arn"]: _policy(one) for one in details.get("Policies") or ()}
    texts = {**(managed or {}), **{arn: one.document for arn, one in policies.items()}}
    found = {
        one["Arn"]: _principal(kind, one, texts)
        for kind, spelled in _KINDS.items()
        for one in details.get(f"{spelled}DetailList") or ()
        if not one.get("Path", "/").startswith(_SERVICE_LINKED)
    }
    groups = {one.name: one for one in found.values() if one.kind == "group"}
    given = cache(_given)
    for one in details.get("UserDetailList") or ():
        mine = [groups[name] for name in sorted(one.get("GroupList") or ()) if name in groups]
        found[one["Arn"]] = member(found[one["Arn"]], mine, lambda group: given(group.name, group.sources))
    return Account(found, policies, tuple(running), read)


def _given(group: str, sources: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"group {group}: {one}" for one in sources)


def member(
    user: Principal,
    groups: Sequence[Principal],
    given: Callable[[Principal], tuple[str, ...]] = lambda group: _given(group.name, group.sources),
) -> Principal:
    """A user with what his groups give him.

    Args:
        user: as he is by himself.
        groups: those that he is in.
        given: where what a group gives stands; of thousands of users, each text once.
    """
    return Principal(
        arn=user.arn,
        name=user.name,
        kind=user.kind,
        documents=(*user.documents, *(text for group in groups for text in group.documents)),
        sources=(*user.sources, *(one for group in groups for one in given(group))),
        boundary=user.boundary,
        bounded_by=user.bounded_by,
        trust=user.trust,
        groups=tuple(group.arn for group in groups),
        tags=user.tags,
        profiles=user.profiles,
    )


def text_of(arn: str, texts: Mapping[str, Document]) -> Document | None:
    """What a managed policy says; None where nobody knows."""
    return texts.get(arn, EVERYTHING_ALLOWED if arn.endswith(_ALLOWS_EVERYTHING) else None)


def _principal(kind: str, one: Mapping[str, Any], texts: Mapping[str, Document]) -> Principal:
    spelled = _KINDS[kind]
    held = [
        (f"inline {policy['PolicyName']}", document(policy["PolicyDocument"]))
        for policy in one.get(f"{spelled}PolicyList") or ()
    ]
    held += [
        (policy["PolicyArn"], text_of(policy["PolicyArn"], texts) or {})
        for policy in one.get("AttachedManagedPolicies") or ()
    ]
    bounded_by = (one.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", "")
    return Principal(
        arn=one["Arn"],
        name=one[f"{spelled}Name"],
        kind=kind,
        documents=tuple(text for _, text in held),
        sources=tuple(source for source, _ in held),
        boundary=text_of(bounded_by, texts) if bounded_by else None,
        bounded_by=bounded_by,
        trust=document(one.get("AssumeRolePolicyDocument")),
        tags={tag["Key"]: tag["Value"] for tag in one.get("Tags") or ()},
        profiles=tuple(profile["Arn"] for profile in one.get("InstanceProfileList") or ()),
    )


def _policy(one: Mapping[str, Any]) -> Policy:
    versions = {version["VersionId"]: document(version["Document"]) for version in one.get("PolicyVersionList") or ()}
    now = one.get("DefaultVersionId", "")
    return Policy(
        one["Arn"], versions.get(now, {}), {version: text for version, text in versions.items() if version != now}
    )

"""An account to sweep, drawn by arithmetic: so many of everything, and a known few of each kind out of line.

`Shape(1)` is 250 users, 50 groups, 100 roles, 60 own policies and 200 buckets; `Shape(4)` is four times that. Nothing
is left to chance, so that two runs see the same account, and what is wrong in it is known without asking anybody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

ACCOUNT = "111122223333"
REGION = "us-east-1"
_AWS = "arn:aws:iam::aws:policy/"
ADMINISTRATOR = f"{_AWS}AdministratorAccess"
#: Where accesses of buckets are logged. It is in nobody's list: of a log bucket itself each side thinks otherwise.
LOG_BUCKET = "acme-logs"
#: What roles and groups carry of AWS's own, one after the other.
_CARRIED = ("ReadOnlyAccess", "AmazonS3ReadOnlyAccess", "AmazonSQSReadOnlyAccess", "AmazonVPCReadOnlyAccess")
_EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"
#: Of so many things of a kind one is out of line, in each way that it can be.
_ONE_IN = 50


@dataclass(frozen=True, slots=True)
class Shape:
    """How many there are of everything.

    Attributes:
        scale: 1 is a middling account; 0 is one with next to nothing, for what it takes to start.
    """

    scale: int

    @property
    def users(self) -> int:
        """IAM users."""
        return 250 * self.scale or 1

    @property
    def groups(self) -> int:
        """Groups."""
        return 50 * self.scale or 1

    @property
    def roles(self) -> int:
        """Roles, without Plumbline's own."""
        return 100 * self.scale or 1

    @property
    def policies(self) -> int:
        """Policies of the account's own."""
        return 60 * self.scale or 1

    @property
    def buckets(self) -> int:
        """Buckets, all in one region."""
        return 200 * self.scale or 1


@dataclass(frozen=True, slots=True)
class ManyRoles(Shape):
    """An account that has outgrown its users: five thousand roles, a thousand policies."""

    scale: int = 4
    roles: int = 5_000
    policies: int = 1_000


@dataclass(frozen=True, slots=True)
class User:
    """An IAM user, and what is wrong with him.

    Attributes:
        number: his number, which everything else follows from.
        now: the time that his dates count back from.
    """

    number: int
    now: datetime

    @property
    def name(self) -> str:
        """His name."""
        return f"user-{self.number:05}"

    @property
    def arn(self) -> str:
        """His ARN."""
        return f"arn:aws:iam::{ACCOUNT}:user/{self.name}"

    @property
    def id(self) -> str:
        """His unique id."""
        return f"AIDA{self.number:017}"

    @property
    def made(self) -> datetime:
        """When he was made."""
        return self.now - timedelta(days=400 + self.number % 300)

    @property
    def lacks_mfa(self) -> bool:
        """Whether he has a password and no second factor."""
        return self.number % _ONE_IN == 1

    @property
    def has_old_key(self) -> bool:
        """Whether his key is older than 90 days."""
        return self.number % _ONE_IN == 2

    @property
    def is_idle(self) -> bool:
        """Whether he has a password and has not used it for 200 days."""
        return self.number % _ONE_IN == 3

    @property
    def attached(self) -> Sequence[str]:
        """ARNs of the policies that he carries himself."""
        return (own_policy(self.number % 60 or 1),) if self.number % _ONE_IN == 4 else ()

    @property
    def inline(self) -> Mapping[str, Mapping[str, Any]]:
        """His inline policies."""
        return {"own": _allow("s3:GetObject", f"arn:aws:s3:::{self.name}/*")} if self.number % _ONE_IN == 5 else {}

    @property
    def has_password(self) -> bool:
        """Whether he has a console password: three of five do."""
        return self.number % 5 in (1, 3, 4)

    @property
    def has_mfa(self) -> bool:
        """Whether he has a second factor: a virtual one for whoever has a password, unless that is what is wrong."""
        return self.has_password and not self.lacks_mfa

    @property
    def has_key(self) -> bool:
        """Whether he has an access key: the two of five without a password do."""
        return not self.has_password

    @property
    def key(self) -> str:
        """The id of his key."""
        return f"AKIA{self.number:016}"

    @property
    def key_made(self) -> datetime:
        """When his key was made."""
        return self.now - timedelta(days=200 if self.has_old_key else 10 + self.number % 50)

    @property
    def password_used(self) -> datetime:
        """When he last came in by his password."""
        return self.now - timedelta(days=200 if self.is_idle else 1 + self.number % 20)

    @property
    def password_set(self) -> datetime:
        """When his password was last changed; a policy has everybody change his within 90 days, whom it finds."""
        return self.now - timedelta(days=300 if self.is_idle else 30 + self.number % 50)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, and what is wrong with it."""

    number: int
    now: datetime

    @property
    def name(self) -> str:
        """Its name."""
        return f"acme-data-{self.number:05}"

    @property
    def made(self) -> datetime:
        """When it was made."""
        return self.now - timedelta(days=500 + self.number % 100)

    @property
    def lists_to_all(self) -> bool:
        """Whether its ACL lets everybody list it: then nothing blocks that, and ACLs count."""
        return self.number % _ONE_IN == 1

    @property
    def is_written_by_all(self) -> bool:
        """Whether its policy lets everybody write into it: then nothing blocks that either."""
        return self.number % _ONE_IN == 2

    @property
    def takes_http(self) -> bool:
        """Whether its policy does not deny plain HTTP."""
        return self.number % _ONE_IN == 3

    @property
    def has_acls(self) -> bool:
        """Whether its ACLs count."""
        return self.number % _ONE_IN in (1, 4)

    @property
    def blocks(self) -> bool:
        """Whether the bucket itself blocks public access."""
        return self.number % _ONE_IN not in (1, 2, 5)

    @property
    def has_versions(self) -> bool:
        """Whether it keeps versions."""
        return self.number % _ONE_IN != 6

    @property
    def is_logged(self) -> bool:
        """Whether accesses are logged."""
        return self.number % _ONE_IN != 7

    @property
    def policy(self) -> Mapping[str, Any] | None:
        """Its policy."""
        arns = [f"arn:aws:s3:::{self.name}", f"arn:aws:s3:::{self.name}/*"]
        said = []
        if not self.takes_http:
            no_tls = {"Bool": {"aws:SecureTransport": "false"}}
            said.append({**_said("Deny", "s3:*", arns), "Sid": "TlsOnly", "Principal": "*", "Condition": no_tls})
        if self.is_written_by_all:
            said.append({**_said("Allow", "s3:PutObject", arns[1:]), "Sid": "Drop", "Principal": "*"})
        return {"Version": "2012-10-17", "Statement": said} if said else None

    @property
    def grants(self) -> Sequence[tuple[str, str]]:
        """Its ACL's grants beside the owner's: grantee's URI and permission."""
        return ((_EVERYBODY, "READ"),) if self.lists_to_all else ()


@dataclass(frozen=True, slots=True)
class Group:
    """A group."""

    number: int

    @property
    def name(self) -> str:
        """Its name."""
        return f"group-{self.number:04}"

    @property
    def attached(self) -> Sequence[str]:
        """ARNs of its policies: of one in fifty, AWS's for administrators."""
        own = (own_policy(self.number % 60 or 1), f"{_AWS}{_CARRIED[self.number % len(_CARRIED)]}")
        return (ADMINISTRATOR,) if self.is_strong else own

    @property
    def is_strong(self) -> bool:
        """Whether whoever is in it is an administrator; nobody is."""
        return self.number % _ONE_IN == 1


@dataclass(frozen=True, slots=True)
class Role:
    """A role that somebody made."""

    number: int

    @property
    def name(self) -> str:
        """Its name."""
        return f"role-{self.number:04}"

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:iam::{ACCOUNT}:role/{self.name}"

    @property
    def is_open(self) -> bool:
        """Whether anybody may use it."""
        return self.number % _ONE_IN == 1

    @property
    def is_strong(self) -> bool:
        """Whether it carries AWS's policy for administrators."""
        return self.number % _ONE_IN == 2

    @property
    def attached(self) -> Sequence[str]:
        """ARNs of its policies."""
        own = (own_policy(self.number % 60 or 1), f"{_AWS}{_CARRIED[self.number % len(_CARRIED)]}")
        return (ADMINISTRATOR,) if self.is_strong else own

    @property
    def trust(self) -> Mapping[str, Any]:
        """Who may use it: anybody, people of this account, or Lambda."""
        people = {"AWS": "*" if self.is_open else f"arn:aws:iam::{ACCOUNT}:root"}
        who = people if self.is_open or self.is_strong else {"Service": "lambda.amazonaws.com"}
        said = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}
        return {"Version": "2012-10-17", "Statement": [said]}


@dataclass(frozen=True, slots=True)
class Policy:
    """A managed policy of the account's own, in one version."""

    number: int

    @property
    def name(self) -> str:
        """Its name."""
        return f"policy-{self.number:04}"

    @property
    def arn(self) -> str:
        """Its ARN."""
        return own_policy(self.number)

    @property
    def document(self) -> Mapping[str, Any]:
        """What it says: a handful of reads and writes of things of its own name."""
        mine = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self.name}"
        actions = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem")
        said = [_said("Allow", list(actions), mine), _said("Allow", "logs:PutLogEvents", "*")]
        return {"Version": "2012-10-17", "Statement": said}


@dataclass(frozen=True)
class Drawn:
    """The account of a shape.

    Attributes:
        shape: how many there are of everything.
        now: the time that all dates count back from.
    """

    shape: Shape
    now: datetime

    @classmethod
    def of(cls, scale: int) -> Drawn:
        """The account of a scale, as of now."""
        return cls(Shape(scale), datetime.now(UTC).replace(microsecond=0))

    @cached_property
    def users(self) -> Sequence[User]:
        """Every user."""
        return [User(one, self.now) for one in range(1, self.shape.users + 1)]

    @cached_property
    def groups(self) -> Sequence[Group]:
        """Every group."""
        return [Group(one) for one in range(1, self.shape.groups + 1)]

    @cached_property
    def roles(self) -> Sequence[Role]:
        """Every role."""
        return [Role(one) for one in range(1, self.shape.roles + 1)]

    @cached_property
    def policies(self) -> Sequence[Policy]:
        """Every own policy."""
        return [Policy(one) for one in range(1, self.shape.policies + 1)]

    @cached_property
    def buckets(self) -> Sequence[Bucket]:
        """Every bucket."""
        return [Bucket(one, self.now) for one in range(1, self.shape.buckets + 1)]

    def groups_of(self, user: User) -> Sequence[Group]:
        """The groups that a user is in: two, and never one that makes administrators."""
        ordinary = [one for one in self.groups if not one.is_strong]
        if not ordinary:
            return ()
        first, second = user.number % len(ordinary), (user.number * 7 + 1) % len(ordinary)
        return [ordinary[one] for one in sorted({first, second})]

    def members(self, group: Group) -> Sequence[User]:
        """Who is in a group."""
        return self._members.get(group.name, ())

    @cached_property
    def held(self) -> frozenset[str]:
        """The ARNs of all managed policies that somebody carries."""
        of_users = (arn for one in self.users for arn in one.attached)
        of_groups = (arn for one in self.groups for arn in one.attached)
        return frozenset((*of_users, *of_groups, *(arn for one in self.roles for arn in one.attached)))

    @cached_property
    def _members(self) -> Mapping[str, Sequence[User]]:
        found: dict[str, list[User]] = {}
        for user in self.users:
            for group in self.groups_of(user):
                found.setdefault(group.name, []).append(user)
        return found


def own_policy(number: int) -> str:
    """The ARN of a policy of the account's own."""
    return f"arn:aws:iam::{ACCOUNT}:policy/policy-{number:04}"


def text(document: Mapping[str, Any]) -> str:
    """A document as AWS keeps it."""
    return json.dumps(document)


def _said(effect: str, actions: str | Sequence[str], on: str | Sequence[str]) -> dict[str, Any]:
    return {"Effect": effect, "Action": actions, "Resource": on}


def _allow(actions: str, on: str) -> Mapping[str, Any]:
    return {"Version": "2012-10-17", "Statement": [_said("Allow", actions, on)]}

"""IAM's answers.

Source: IAM API reference; IAM user guide, Get credential reports for your AWS account.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from moto.iam.aws_managed_policies import aws_managed_policies_data

from bench.answers.wire import LONG_AGO, Answer, Parameters, Refused, iso
from bench.drawn import ACCOUNT, REGION, Drawn, Group, Policy, Role, User, text

#: How many items a page has, where nobody asks for more, and at most. Source: IAM API reference, MaxItems.
PAGE, LARGEST_PAGE = 100, 1000
_IAM = "https://iam.amazonaws.com/doc/2010-05-08/"
_DOCUMENTS = ("PolicyDocument", "AssumeRolePolicyDocument", "Document")
_REPORT = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
_NO_SECOND_KEY = "false,N/A,N/A,N/A,N/A,false,N/A,false,N/A"
_SUMMARY = {
    "AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0, "AccountPasswordPresent": 1,
    "AccountSigningCertificatesPresent": 0, "AttachedPoliciesPerUserQuota": 10, "AttachedPoliciesPerRoleQuota": 10,
    "AttachedPoliciesPerGroupQuota": 10, "PolicySizeQuota": 6144, "GroupsPerUserQuota": 10, "MFADevices": 1,
}  # fmt: skip
_ATTACHED = "AttachedPolicies"
_PASSWORDS = {
    "MinimumPasswordLength": 8,
    "RequireSymbols": True,
    "RequireNumbers": True,
    "RequireUppercaseCharacters": True,
    "RequireLowercaseCharacters": True,
    "AllowUsersToChangePassword": True,
    "ExpirePasswords": False,
}


def _unknown(_given: Parameters) -> str:
    raise Refused("InvalidAction", 400)


@dataclass(frozen=True)
class Iam:
    """IAM of a drawn account.

    Attributes:
        drawn: the account.
        own: what of Plumbline's own stack the bulk read tells, as boto3 answers it.
        taken: the policies that were detached from roles since it was drawn, by role and ARN.
    """

    drawn: Drawn
    own: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    taken: set[tuple[str, str]] = field(default_factory=set)

    def answer(self, operation: str, given: Parameters) -> Answer:
        """Answer one call.

        Args:
            operation: its name, such as ListUsers.
            given: its parameters as the query protocol spells them.
        """
        try:
            result = self._operations.get(operation, _unknown)(given)
        except Refused as refused:
            said = f"<Error><Type>Sender</Type><Code>{refused.code}</Code><Message>bench</Message></Error>"
            body = f'<ErrorResponse xmlns="{_IAM}">{said}<RequestId>bench</RequestId></ErrorResponse>'
            return Answer(refused.status, body.encode(), refused.code)
        inner = result if isinstance(result, str) else _xml(result)
        whole = (
            f'<{operation}Response xmlns="{_IAM}"><{operation}Result>{inner}</{operation}Result>'
            f"<ResponseMetadata><RequestId>bench</RequestId></ResponseMetadata></{operation}Response>"
        )
        return Answer(200, whole.encode())

    @cached_property
    def _operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any] | str]]:
        return {
            "GetAccountAuthorizationDetails": self._everything,
            "GetAccountSummary": lambda _: _summary({**_SUMMARY, **self._counts}),
            "GetAccountPasswordPolicy": lambda _: {"PasswordPolicy": _PASSWORDS},
            "GenerateCredentialReport": lambda _: {"State": "COMPLETE", "Description": ""},
            "GetCredentialReport": self._report,
            "ListUsers": lambda given: _page(self._users, given, "Users"),
            "GetUser": lambda given: {"User": self._user_itself(self._user(given))},
            "ListGroupsForUser": lambda given: _page(
                [self._group_itself(one) for one in self.drawn.groups_of(self._user(given))], given, "Groups"
            ),
            "ListAttachedUserPolicies": lambda given: _page(_held(self._user(given).attached), given, _ATTACHED),
            "ListUserPolicies": lambda given: _page([*self._user(given).inline], given, "PolicyNames"),
            "GetUserPolicy": self._inline,
            "ListAccessKeys": lambda given: _page(_keys(self._user(given)), given, "AccessKeyMetadata"),
            "GetAccessKeyLastUsed": self._key_used,
            "ListMFADevices": lambda given: _page(_devices(self._user(given)), given, "MFADevices"),
            "ListVirtualMFADevices": lambda given: _page(self._virtual_devices, given, "VirtualMFADevices"),
            "GetLoginProfile": self._login_profile,
            "ListServiceSpecificCredentials": lambda given: _page([], given, "ServiceSpecificCredentials"),
            "ListSSHPublicKeys": lambda given: _page([], given, "SSHPublicKeys"),
            "ListSigningCertificates": lambda given: _page([], given, "Certificates"),
            "ListUserTags": lambda given: _page([], given, "Tags"),
            "ListRoleTags": lambda given: _page([], given, "Tags"),
            "ListPolicyTags": lambda given: _page([], given, "Tags"),
            "ListGroups": lambda given: _page([*map(self._group_itself, self.drawn.groups)], given, "Groups"),
            "GetGroup": self._group_with_members,
            "ListAttachedGroupPolicies": lambda given: _page(_held(self._group(given).attached), given, _ATTACHED),
            "ListGroupPolicies": lambda given: _page([], given, "PolicyNames"),
            "ListRoles": self._list_roles,
            "GetRole": lambda given: {"Role": self._role_itself(self._role(given))},
            "ListAttachedRolePolicies": lambda given: _page(_held(self._carried(self._role(given))), given, _ATTACHED),
            "DetachRolePolicy": self._detach,
            "ListRolePolicies": lambda given: _page([], given, "PolicyNames"),
            "ListPolicies": self._list_policies,
            "GetPolicy": lambda given: {"Policy": self._policy(given["PolicyArn"])[0]},
            "GetPolicyVersion": self._version,
            "ListPolicyVersions": lambda given: _page(
                [self._version({**given, "VersionId": ""})["PolicyVersion"]], given, "Versions"
            ),
            "ListEntitiesForPolicy": self._entities,
            "GenerateServiceLastAccessedDetails": lambda _: {"JobId": "bench"},
            "GetServiceLastAccessedDetails": self._last_accessed,
            "ListServerCertificates": lambda given: _page([], given, "ServerCertificateMetadataList"),
            "ListSAMLProviders": lambda _: {"SAMLProviderList": []},
            "ListOpenIDConnectProviders": lambda _: {"OpenIDConnectProviderList": []},
            "ListAccountAliases": lambda given: _page([], given, "AccountAliases"),
            "ListInstanceProfilesForRole": lambda given: _page([], given, "InstanceProfiles"),
            "ListOrganizationsFeatures": lambda _: {"EnabledFeatures": []},
        }

    # --- what there is

    @cached_property
    def _counts(self) -> Mapping[str, int]:
        shape = self.drawn.shape
        return {"Users": shape.users, "Groups": shape.groups, "Roles": shape.roles, "Policies": shape.policies}

    @cached_property
    def _by_name(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "UserName": {one.name: one for one in self.drawn.users},
            "GroupName": {one.name: one for one in self.drawn.groups},
            "RoleName": {one.name: one for one in self.drawn.roles},
        }

    def _user(self, given: Parameters) -> User:
        found: User = self._named(given, "UserName")
        return found

    def _group(self, given: Parameters) -> Group:
        found: Group = self._named(given, "GroupName")
        return found

    def _role(self, given: Parameters) -> Role:
        found: Role = self._named(given, "RoleName")
        return found

    def _named(self, given: Parameters, what: str) -> Any:
        found = self._by_name[what].get(given.get(what, ""))
        if found is None:
            raise Refused("NoSuchEntity")
        return found

    @cached_property
    def _users(self) -> Sequence[Mapping[str, Any]]:
        return [self._user_itself(one) for one in self.drawn.users]

    def _user_itself(self, user: User) -> Mapping[str, Any]:
        itself = {"Path": "/", "UserName": user.name, "UserId": user.id, "Arn": user.arn, "CreateDate": user.made}
        return {**itself, "PasswordLastUsed": user.password_used if user.has_password else None}

    def _group_itself(self, group: Group) -> Mapping[str, Any]:
        arn, made = f"arn:aws:iam::{ACCOUNT}:group/{group.name}", self.drawn.now - LONG_AGO
        return {
            "Path": "/",
            "GroupName": group.name,
            "GroupId": f"AGPA{group.number:017}",
            "Arn": arn,
            "CreateDate": made,
        }

    def _role_itself(self, role: Role) -> Mapping[str, Any]:
        used = {"LastUsedDate": self.drawn.now - timedelta(days=1), "Region": REGION}
        return {
            "Path": "/",
            "RoleName": role.name,
            "RoleId": f"AROA{role.number:017}",
            "Arn": role.arn,
            "CreateDate": self.drawn.now - LONG_AGO,
            "AssumeRolePolicyDocument": role.trust,
            "MaxSessionDuration": 3600,
            "RoleLastUsed": used,
        }

    @cached_property
    def _own_roles(self) -> Sequence[Mapping[str, Any]]:
        return [
            {
                name: one[name]
                for name in ("Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument")
            }
            for one in self.own.get("RoleDetailList", ())
        ]

    @cached_property
    def _virtual_devices(self) -> Sequence[Mapping[str, Any]]:
        return [
            {"SerialNumber": one["SerialNumber"], "EnableDate": one["EnableDate"], "User": self._user_itself(user)}
            for user in self.drawn.users
            for one in _devices(user)
        ]

    @cached_property
    def _managed(self) -> Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """Every managed policy by ARN, as it is listed, and what it says; AWS's as moto carries them."""
        held = self._holders
        found: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
        for policy in self.drawn.policies:
            found[policy.arn] = (self._listed(policy, len(held.get(policy.arn, ()))), policy.document)
        for name, one in json.loads(aws_managed_policies_data).items():
            path = one.get("Path", "/")
            arn = f"arn:aws:iam::aws:policy{path}{name}"
            listed = {
                "PolicyName": name,
                "PolicyId": f"ANPA{name[:16].upper():0<17}",
                "Arn": arn,
                "Path": path,
                "DefaultVersionId": one["DefaultVersionId"],
                "AttachmentCount": len(held.get(arn, ())),
                "PermissionsBoundaryUsageCount": 0,
                "IsAttachable": True,
                "CreateDate": one["CreateDate"],
                "UpdateDate": one.get("UpdateDate", one["CreateDate"]),
            }
            found[arn] = (listed, one["Document"])
        return found

    def _listed(self, policy: Policy, attached: int) -> Mapping[str, Any]:
        made = self.drawn.now - LONG_AGO
        return {
            "PolicyName": policy.name,
            "PolicyId": f"ANPA{policy.number:017}",
            "Arn": policy.arn,
            "Path": "/",
            "DefaultVersionId": "v1",
            "AttachmentCount": attached,
            "PermissionsBoundaryUsageCount": 0,
            "IsAttachable": True,
            "CreateDate": made,
            "UpdateDate": made,
        }

    @cached_property
    def _holders(self) -> Mapping[str, Sequence[User | Group | Role]]:
        found: dict[str, list[User | Group | Role]] = {}
        everybody: tuple[User | Group | Role, ...] = (*self.drawn.users, *self.drawn.groups, *self.drawn.roles)
        for one in everybody:
            for arn in one.attached:
                found.setdefault(arn, []).append(one)
        return found

    def _policy(self, arn: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        if arn not in self._managed:
            raise Refused("NoSuchEntity")
        return self._managed[arn]

    # --- operations

    def _everything(self, given: Parameters) -> str:
        wanted = {value for name, value in given.items() if name.startswith("Filter.member.")}
        kinds = {
            "UserDetailList": "User",
            "GroupDetailList": "Group",
            "RoleDetailList": "Role",
            "Policies": "LocalManagedPolicy",
        }
        every = [
            (kind, one)
            for kind, details in self._details.items()
            if not wanted or kinds[kind] in wanted
            for one in details
        ]
        page, more = _cut(every, given)
        lists = (f"<{kind}>{''.join(one for of, one in page if of == kind)}</{kind}>" for kind in kinds)
        return "".join((*lists, _xml(more)))

    @cached_property
    def _details(self) -> Mapping[str, list[str]]:
        """Every item of the bulk read, written out."""
        users = (
            {
                **{name: value for name, value in self._user_itself(one).items() if name != "PasswordLastUsed"},
                "GroupList": [group.name for group in self.drawn.groups_of(one)],
                "AttachedManagedPolicies": _held(one.attached),
                "UserPolicyList": [{"PolicyName": name, "PolicyDocument": said} for name, said in one.inline.items()],
            }
            for one in self.drawn.users
        )
        groups = (
            {**self._group_itself(one), "AttachedManagedPolicies": _held(one.attached), "GroupPolicyList": []}
            for one in self.drawn.groups
        )
        roles = map(self._role_in_detail, self.drawn.roles)
        policies = (
            {
                **self._listed(one, len(self._holders.get(one.arn, ()))),
                "PolicyVersionList": [
                    {
                        "Document": one.document,
                        "VersionId": "v1",
                        "IsDefaultVersion": True,
                        "CreateDate": self.drawn.now - LONG_AGO,
                    }
                ],
            }
            for one in self.drawn.policies
        )
        drawn: Mapping[str, Iterable[Mapping[str, Any]]] = {
            "UserDetailList": users,
            "GroupDetailList": groups,
            "RoleDetailList": roles,
            "Policies": policies,
        }
        return {kind: [_member(one) for one in (*ours, *self.own.get(kind, ()))] for kind, ours in drawn.items()}

    def _role_in_detail(self, role: Role) -> Mapping[str, Any]:
        return {
            **{name: value for name, value in self._role_itself(role).items() if name != "MaxSessionDuration"},
            "AttachedManagedPolicies": _held(self._carried(role)),
            "RolePolicyList": [],
            "InstanceProfileList": [],
        }

    def _carried(self, role: Role) -> Sequence[str]:
        return [arn for arn in role.attached if (role.name, arn) not in self.taken]

    def _detach(self, given: Parameters) -> Mapping[str, Any]:
        role = self._role(given)
        self.taken.add((role.name, given["PolicyArn"]))
        self._details["RoleDetailList"][self.drawn.roles.index(role)] = _member(self._role_in_detail(role))
        return {}

    def _report(self, _given: Parameters) -> Mapping[str, Any]:
        rows = "\n".join((_REPORT, self._root_row, *map(_row, self.drawn.users)))
        content = base64.b64encode(rows.encode()).decode()
        return {"Content": content, "ReportFormat": "text/csv", "GeneratedTime": self.drawn.now}

    @property
    def _root_row(self) -> str:
        made = iso(self.drawn.now - LONG_AGO)
        return (
            f"<root_account>,arn:aws:iam::{ACCOUNT}:root,{made},not_supported,no_information,not_supported,"
            f"not_supported,true,false,N/A,N/A,N/A,N/A,{_NO_SECOND_KEY}"
        )

    def _inline(self, given: Parameters) -> Mapping[str, Any]:
        user, name = self._user(given), given["PolicyName"]
        if name not in user.inline:
            raise Refused("NoSuchEntity")
        return {"UserName": user.name, "PolicyName": name, "PolicyDocument": user.inline[name]}

    def _key_used(self, given: Parameters) -> Mapping[str, Any]:
        user = self._named({"UserName": f"user-{int(given['AccessKeyId'][4:]):05}"}, "UserName")
        used = {"LastUsedDate": _key_used(user), "ServiceName": "s3", "Region": REGION}
        return {"UserName": user.name, "AccessKeyLastUsed": used}

    def _login_profile(self, given: Parameters) -> Mapping[str, Any]:
        user = self._user(given)
        if not user.has_password:
            raise Refused("NoSuchEntity")
        return {"LoginProfile": {"UserName": user.name, "CreateDate": user.made, "PasswordResetRequired": False}}

    def _group_with_members(self, given: Parameters) -> Mapping[str, Any]:
        group = self._group(given)
        members = [self._user_itself(one) for one in self.drawn.members(group)]
        return {"Group": self._group_itself(group), **_page(members, given, "Users")}

    def _list_roles(self, given: Parameters) -> Mapping[str, Any]:
        every = [*map(self._role_itself, self.drawn.roles), *self._own_roles]
        path = given.get("PathPrefix", "/")
        return _page([one for one in every if one["Path"].startswith(path)], given, "Roles")

    def _list_policies(self, given: Parameters) -> Mapping[str, Any]:
        scope, path = given.get("Scope", "All"), given.get("PathPrefix", "/")
        attached = given.get("OnlyAttached", "false").lower() == "true"
        found = [
            listed
            for arn, (listed, _) in self._managed.items()
            if scope == "All" or (scope == "AWS") == (":iam::aws:" in arn)
            if listed["Path"].startswith(path)
            if listed["AttachmentCount"] or not attached
        ]
        return _page(found, given, "Policies")

    def _version(self, given: Parameters) -> Mapping[str, Any]:
        listed, said = self._policy(given["PolicyArn"])
        return {
            "PolicyVersion": {
                "Document": said,
                "VersionId": given["VersionId"] or listed["DefaultVersionId"],
                "IsDefaultVersion": True,
                "CreateDate": listed["CreateDate"],
            }
        }

    def _last_accessed(self, _given: Parameters) -> Mapping[str, Any]:
        when = self.drawn.now - timedelta(days=1)
        used = {"ServiceName": "Amazon S3", "ServiceNamespace": "s3", "TotalAuthenticatedEntities": 1}
        return {
            "JobStatus": "COMPLETED",
            "JobType": "SERVICE_LEVEL",
            "JobCreationDate": when,
            "JobCompletionDate": when,
            "ServicesLastAccessed": [{**used, "LastAuthenticated": when}],
            "IsTruncated": False,
        }

    def _entities(self, given: Parameters) -> Mapping[str, Any]:
        found = self._holders.get(given["PolicyArn"], ())
        page, more = _cut(found, given)
        of_kind = {
            f"Policy{kind.__name__}s": [
                {f"{kind.__name__}Name": one.name, f"{kind.__name__}Id": f"X{one.number:020}"}
                for one in page
                if type(one) is kind
            ]
            for kind in (User, Group, Role)
        }
        return {**of_kind, **more}


def _held(arns: Sequence[str]) -> list[Mapping[str, str]]:
    return [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in arns]


def _keys(user: User) -> Sequence[Mapping[str, Any]]:
    if not user.has_key:
        return ()
    return [{"UserName": user.name, "AccessKeyId": user.key, "Status": "Active", "CreateDate": user.key_made}]


def _key_used(user: User) -> datetime:
    return user.now - timedelta(days=1 + user.number % 5)


def _devices(user: User) -> Sequence[Mapping[str, Any]]:
    if not user.has_mfa:
        return ()
    serial = f"arn:aws:iam::{ACCOUNT}:mfa/{user.name}"
    return [{"UserName": user.name, "SerialNumber": serial, "EnableDate": user.made}]


def _row(user: User) -> str:
    """A user's row of the credential report."""
    dates = f"true,{iso(user.password_used)},{iso(user.password_set)},N/A"
    password = dates if user.has_password else "false,N/A,N/A,N/A"
    key = f"true,{iso(user.key_made)},{iso(_key_used(user))},{REGION},s3" if user.has_key else "false,N/A,N/A,N/A,N/A"
    mfa = str(user.has_mfa).lower()
    return f"{user.name},{user.arn},{iso(user.made)},{password},{mfa},{key},{_NO_SECOND_KEY}"


def _summary(counts: Mapping[str, int]) -> str:
    entries = "".join(f"<entry><key>{name}</key><value>{value}</value></entry>" for name, value in counts.items())
    return f"<SummaryMap>{entries}</SummaryMap>"


def _page(items: Sequence[Any], given: Parameters, name: str) -> dict[str, Any]:
    page, more = _cut(items, given)
    return {name: list(page), **more}


def _cut(items: Sequence[Any], given: Parameters) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """A page of a list, and what says that there are more."""
    begin, most = int(given.get("Marker") or 0), min(int(given.get("MaxItems") or PAGE), LARGEST_PAGE)
    rest = begin + most < len(items)
    more = {"IsTruncated": rest, **({"Marker": str(begin + most)} if rest else {})}
    return items[begin : begin + most], more


def _member(value: Mapping[str, Any]) -> str:
    return f"<member>{_xml(value)}</member>"


def _xml(value: Any, name: str = "") -> str:
    """A value as IAM writes it: members of lists, times, documents in percent."""
    match value:
        case Mapping() if name in _DOCUMENTS:
            inner = quote(text(value), safe="")
        case Mapping():
            inner = "".join(_xml(one, key) for key, one in value.items() if one is not None)
        case str():
            inner = escape(value)
        case bool():
            inner = str(value).lower()
        case datetime():
            inner = iso(value)
        case Sequence():
            inner = "".join(_xml(one, "member") for one in value)
        case _:
            inner = str(value)
    return f"<{name}>{inner}</{name}>" if name else inner

"""The published ways to administrator rights that lead through IAM itself, as data.

Source: pathfinding.cloud (ids such as `iam-001`, DataDog, Apache-2.0); Rhino Security Labs, AWS IAM privilege
escalation (`rhino-`); the rest (`own-`) follows from IAM's own rules.
"""

from __future__ import annotations

from plumbline.rights.lead import Lead, Path

_SELF = (
    Path(
        "iam-001",
        Lead.OWN_POLICY,
        ("iam:CreatePolicyVersion",),
        "write a new version of the policy {}, which it has itself",
    ),
    Path(
        "rhino-set-version",
        Lead.OWN_VERSION,
        ("iam:SetDefaultPolicyVersion",),
        "put an older version of the policy {}, which it has itself, in force, and that makes administrators",
    ),
    Path("iam-005", Lead.ITSELF, ("iam:PutRolePolicy",), "put an inline policy on itself"),
    Path("iam-007", Lead.ITSELF, ("iam:PutUserPolicy",), "put an inline policy on itself"),
    Path("iam-008", Lead.ITSELF, ("iam:AttachUserPolicy",), "attach to itself a policy that makes administrators"),
    Path("iam-009", Lead.ITSELF, ("iam:AttachRolePolicy",), "attach to itself a policy that makes administrators"),
    Path(
        "iam-010",
        Lead.OWN_GROUP,
        ("iam:AttachGroupPolicy",),
        "attach to the group {}, in which it is, a policy that makes administrators",
    ),
    Path("iam-011", Lead.OWN_GROUP, ("iam:PutGroupPolicy",), "put an inline policy on the group {}, in which it is"),
    Path("iam-013", Lead.GROUP, ("iam:AddUserToGroup",), "put users into the group {}, which makes administrators"),
    Path(
        "own-new-user-1",
        Lead.NEW_USER,
        ("iam:AttachUserPolicy", "iam:CreateUser", "iam:CreateAccessKey"),
        "make a new user, give it administrator rights and an access key",
    ),
    Path(
        "own-new-user-2",
        Lead.NEW_USER,
        ("iam:PutUserPolicy", "iam:CreateUser", "iam:CreateAccessKey"),
        "make a new user, give it administrator rights and an access key",
    ),
    Path(
        "own-new-user-3",
        Lead.NEW_USER,
        ("iam:AttachUserPolicy", "iam:CreateUser", "iam:CreateLoginProfile"),
        "make a new user, give it administrator rights and a password",
    ),
    Path(
        "own-new-user-4",
        Lead.NEW_USER,
        ("iam:PutUserPolicy", "iam:CreateUser", "iam:CreateLoginProfile"),
        "make a new user, give it administrator rights and a password",
    ),
    Path(
        "own-new-role-1",
        Lead.NEW_ROLE,
        ("iam:AttachRolePolicy", "iam:CreateRole"),
        "make a new role that trusts it, and give that administrator rights",
    ),
    Path(
        "own-new-role-2",
        Lead.NEW_ROLE,
        ("iam:PutRolePolicy", "iam:CreateRole"),
        "make a new role that trusts it, and give that administrator rights",
    ),
)
#: One action on everything of its kind. Which user, role or policy there is makes no difference: some will do.
_EVERY = tuple(
    Path(name, Lead.EVERY, (action,), f"{does} every {kind}, with which it can take any right", kind=kind)
    for name, action, kind, does in (
        ("iam-008", "iam:AttachUserPolicy", "user", "attach policies to"),
        ("iam-007", "iam:PutUserPolicy", "user", "put inline policies on"),
        ("iam-010", "iam:AttachGroupPolicy", "group", "attach policies to"),
        ("iam-011", "iam:PutGroupPolicy", "group", "put inline policies on"),
        ("iam-009", "iam:AttachRolePolicy", "role", "attach policies to"),
        ("iam-005", "iam:PutRolePolicy", "role", "put inline policies on"),
        ("iam-001", "iam:CreatePolicyVersion", "policy", "write new versions of"),
        ("rhino-set-version", "iam:SetDefaultPolicyVersion", "policy", "change the default version of"),
        ("iam-012", "iam:UpdateAssumeRolePolicy", "role", "rewrite the trust of"),
        ("iam-013", "iam:AddUserToGroup", "group", "add users to"),
        ("iam-002", "iam:CreateAccessKey", "user", "make access keys of"),
        ("iam-004", "iam:CreateLoginProfile", "user", "make passwords of"),
        ("iam-006", "iam:UpdateLoginProfile", "user", "change the password of"),
    )
)
_OTHERS = (
    Path("iam-002", Lead.USER, ("iam:CreateAccessKey",), "make an access key of the user {}, who is an administrator"),
    Path(
        "iam-003",
        Lead.USER,
        ("iam:CreateAccessKey", "iam:DeleteAccessKey"),
        "replace an access key of the user {}, who is an administrator",
    ),
    Path("iam-004", Lead.USER, ("iam:CreateLoginProfile",), "make a password of the user {}, who is an administrator"),
    Path(
        "iam-006", Lead.USER, ("iam:UpdateLoginProfile",), "change the password of the user {}, who is an administrator"
    ),
    Path(
        "iam-012",
        Lead.ROLE,
        ("iam:UpdateAssumeRolePolicy",),
        "make the role {}, which has administrator rights, trust it",
    ),
    Path(
        "iam-014",
        Lead.TRUSTING_ROLE,
        ("iam:AttachRolePolicy", "sts:AssumeRole"),
        "give administrator rights to the role {}, and assume it",
    ),
    Path(
        "iam-017",
        Lead.TRUSTING_ROLE,
        ("iam:PutRolePolicy", "sts:AssumeRole"),
        "give administrator rights to the role {}, and assume it",
    ),
    Path(
        "iam-016",
        Lead.TRUSTING_POLICY,
        ("iam:CreatePolicyVersion", "sts:AssumeRole"),
        "write a new version of a policy of the role {}, and assume it",
    ),
    Path(
        "iam-015",
        Lead.OTHER_USER,
        ("iam:AttachUserPolicy", "iam:CreateAccessKey"),
        "give administrator rights to the user {}, and make an access key of it",
    ),
    Path(
        "iam-018",
        Lead.OTHER_USER,
        ("iam:PutUserPolicy", "iam:CreateAccessKey"),
        "give administrator rights to the user {}, and make an access key of it",
    ),
    Path(
        "iam-019",
        Lead.OTHER_ROLE,
        ("iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"),
        "give administrator rights to the role {}, and make it trust itself",
    ),
    Path(
        "iam-021",
        Lead.OTHER_ROLE,
        ("iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"),
        "give administrator rights to the role {}, and make it trust itself",
    ),
    Path(
        "iam-020",
        Lead.OTHER_POLICY,
        ("iam:CreatePolicyVersion", "iam:UpdateAssumeRolePolicy"),
        "write a new version of a policy of the role {}, and make that trust it",
    ),
    Path("sts-001", Lead.ASSUMED, ("sts:AssumeRole",), "assume the role {}, which has administrator rights"),
)
BY_IAM: tuple[Path, ...] = (*_SELF, *_EVERY, *_OTHERS)

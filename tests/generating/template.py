"""The marked blocks of template.yaml: rules, and the policies of eyes, hands and giving hands."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from plumbline.controls import registry
from plumbline.core import giving
from plumbline.core.control import Control
from tests.deployed import LONGEST_NAMES, as_deployed, parsed
from tests.generating import forwarders
from tests.generating.packing import by_arrival
from tests.generating.permissions import Policy, Role, logical_id
from tests.generating.rules import Rule, rules

_BLOCK = r"(?ms)^(?P<indent> *)# plumbline:{name} begin[^\n]*\n.*?(?=^ *# plumbline:{name} end)"
_WIDTH = 110
Policies = tuple[Role, list[Policy]]


def written(text: str, controls: Mapping[str, Control] | None = None) -> str:
    """The text of template.yaml with its blocks as they follow from the controls (those of the registry).

    Raises:
        CannotBePacked: AWS would not take it; the message names the control.
    """
    arrived = by_arrival((registry.load() if controls is None else controls).values())
    made = rules(arrived)
    text = _with_block(text, "rules", _yaml({one.logical_id: _rule(one) for one in made}))
    text = _with_block(text, "rules-made", _yaml([one.logical_id for one in made]))
    text = _with_forwarders(text, made)
    for role, policies in permissions(text, arrived):
        text = _with_block(text, role.name, _statements(policies[0]))
        names = [logical_id(role, place) for place in range(len(policies))]
        text = _with_block(text, f"{role.name}-attached", _yaml([_Ref(name) for name in names]))
        text = _with_block(text, f"{role.name}-more", "\n".join(_more(role, policies)))
    return _with_giving(text)


def _with_forwarders(text: str, made: Sequence[Rule]) -> str:
    """What other regions put onto the home bus, and what it does with that; from the tripwires as they are written."""
    tripwires = parsed(text)
    home = forwarders.home_rules(made, tripwires)
    text = _with_block(text, "home-rules", _yaml(_tagged(home)))
    text = _with_block(text, "home-rules-made", _yaml(list(home)))
    return _with_block(text, "forwarders", "\n".join(forwarders.indented(forwarders.body(made, tripwires))))


def _tagged(value: Any) -> Any:
    """Data with CloudFormation's intrinsics in their short form."""
    match value:
        case {"Fn::Sub": str(text)}:
            return _Sub(text)
        case {"Ref": str(name)}:
            return _Ref(name)
        case {"Fn::GetAtt": [name, attribute]}:
            return _GetAtt(f"{name}.{attribute}")
        case Mapping():
            return {key: _tagged(one) for key, one in value.items()}
        case list():
            return [_tagged(one) for one in value]
    return value


def _with_giving(text: str) -> str:
    """What the giving hands may do, and what the hands that take may not take away: as core/giving.py has it."""
    groups = [_Sub(f"arn:${{AWS::Partition}}:iam::aws:policy/{name}") for name in sorted(giving.GROUP_POLICIES)]
    groups += [_own_policy(f"${{Names.Prefix}}-{name}") for name in giving.OWN_GIVEN]
    own = [_own_policy(f"${{Names.Prefix}}-{name}") for name in giving.OWN_DENIALS]
    aws = [_Sub(f"arn:${{AWS::Partition}}:iam::aws:policy/{name}") for name in giving.AWS_DENIALS]
    copies = [_own_policy(f"{kind}-*") for kind in ("group", "role", "user")]
    anybody = [_Sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:{kind}/*") for kind in ("group", "role", "user")]
    given = [
        _conditioned("WhatGroupsGet", giving.ATTACHES[:1], anybody[:1], "ArnEquals", groups),
        _conditioned("WhatDenies", sorted((*giving.ATTACHES, *giving.DETACHES)), anybody, "ArnEquals", own),
    ]
    converted = [
        {"Sid": "WhatInlinePoliciesBecome", "Effect": "Allow", "Action": ["iam:CreatePolicy"], "Resource": copies},
        _conditioned("InTheirPlace", sorted(giving.ATTACHES), anybody, "ArnLike", copies),
    ]
    linked = [{"Sid": f"RoleOfService{number}"} | one for number, one in enumerate(giving.linking(giving.LINKED), 1)]
    text = _with_block(text, "denials", _yaml([*own, *aws]))
    text = _with_block(text, "linked", _yaml(linked))
    text = _with_block(text, "giving", _yaml(given))
    return _with_block(text, "conversion", _yaml(converted))


def _own_policy(name: str) -> _Sub:
    return _Sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy/plumbline/{name}")


def _conditioned(
    sid: str, actions: Sequence[str], resources: Sequence[str], operator: str, policies: Sequence[str]
) -> Mapping[str, Any]:
    """A statement about these policies and no other."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": list(resources),
        "Condition": {operator: {"iam:PolicyARN": list(policies)}},
    }


def permissions(text: str, controls: Sequence[Control]) -> list[Policies]:
    """The eyes and the hands role, each with the policies it needs.

    Args:
        text: template.yaml; what is written by hand into a role's first policy counts.
        controls: whose reads and writes are packed, in the order in which they are placed.
    """
    text = _with_giving(text)
    for name in ("eyes", "hands"):
        text = _with_block(text, name, "")
    bare = parsed(text)

    def role(name: str, kind: str) -> Role:
        document = bare["Resources"][Role(name, kind).title]["Properties"]["PolicyDocument"]
        first = as_deployed(document["Statement"] or [], bare["Resources"], LONGEST_NAMES)
        return Role(name, kind, tuple(first))

    return [(one, one.policies(controls)) for one in (role("eyes", "reads"), role("hands", "writes"))]


def _rule(rule: Rule) -> Mapping[str, Any]:
    detail_type, source, _, reads_too, _ = rule.key
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Name": _Sub("${Names.Prefix}-" + rule.name),
            "Description": f"Wakes Plumbline: {source or 'any service'}, {detail_type}",
            "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" if reads_too else "ENABLED",
            "EventPattern": {"account": [_Ref("AWS::AccountId")]} | rule.pattern,
            "Targets": [
                {
                    "Id": "wakes",
                    "Arn": _GetAtt("WakesQueue.Arn"),
                    "DeadLetterConfig": {"Arn": _GetAtt("DeadLetterQueue.Arn")},
                }
            ],
        },
    }


def _statements(policy: Policy) -> str:
    return _commented(_yaml(policy.statements), policy.comments()) if policy.statements else ""


def _more(role: Role, policies: Sequence[Policy]) -> Iterator[str]:
    """Every policy of a role but the first."""
    if len(policies) == 1:
        yield f"# nothing: {role.title} holds it all"
    for place, policy in enumerate(policies[1:], start=1):
        resource = {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "Path": "/plumbline/",
                "ManagedPolicyName": _Sub(f"${{Names.Prefix}}-{role.name}-{place + 1}"),
                "PolicyDocument": {"Version": "2012-10-17", "Statement": policy.statements},
            },
        }
        yield _commented(_yaml({logical_id(role, place): resource}), policy.comments())


def _commented(text: str, comments: Mapping[str, str]) -> str:
    """A policy's text with a comment before some of its actions; what a comment says of one holds until the next."""
    lines: list[str] = []
    for line in text.splitlines():
        comment = comments.get(line.strip().removeprefix("- "))
        if comment:
            indent = " " * (len(line) - len(line.lstrip()))
            lines += textwrap.wrap(
                comment, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ", break_on_hyphens=False
            )
        lines.append(line)
    return "\n".join(lines)


def _with_block(text: str, name: str, body: str) -> str:
    found = re.search(_BLOCK.format(name=name), text)
    if not found:
        message = f"template.yaml has no block 'plumbline:{name}'"
        raise LookupError(message)
    indent = found["indent"]
    first = f"{indent}# plumbline:{name} begin (generated from the controls by `make sync`)\n"
    lines = "".join(f"{indent}{line}\n" if line else "\n" for line in body.splitlines())
    return text[: found.start()] + first + lines + text[found.end() :]


class _Sub(str):
    """A `!Sub` value."""

    __slots__ = ()


class _GetAtt(str):
    """A `!GetAtt` value."""

    __slots__ = ()


class _Ref(str):
    """A `!Ref` value."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes lists indented, as the hand-written part does."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002
        super().increase_indent(flow, False)


_Dumper.add_representer(_Sub, lambda dumper, value: dumper.represent_scalar("!Sub", value, style='"'))
_Dumper.add_representer(_GetAtt, lambda dumper, value: dumper.represent_scalar("!GetAtt", value))
_Dumper.add_representer(_Ref, lambda dumper, value: dumper.represent_scalar("!Ref", value))


def _yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=True).rstrip()

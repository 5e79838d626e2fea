"""What follows from the controls: the template's rules and permissions, and the controls reference.

`make check` fails when a committed file differs from this; `make sync` (pytest --sync) rewrites it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from plumbline.baseline import profiles, schema
from plumbline.controls import registry
from plumbline.core.clock import Clock
from plumbline.core.control import SECTIONS, Control, On, Response
from plumbline.wakes.messages import AWS
from tests import gallery

ROOT = Path(__file__).parent.parent
RuleKey = tuple[str, str, str, bool, bool]
_BLOCK = r"(?ms)^(?P<indent> *)# plumbline:{name} begin[^\n]*\n.*?(?=^ *# plumbline:{name} end)"


def everything() -> dict[Path, str]:
    """Every generated file as it should be."""
    template = (ROOT / "template.yaml").read_text()
    for name, block in {"rules": rules, "eyes": eyes, "hands": hands}.items():
        template = _with_block(template, name, block())
    return {
        ROOT / "template.yaml": template,
        ROOT / "docs/controls.md": reference(),
        ROOT / "docs/emails.md": gallery.page(),
        ROOT / "baseline.schema.json": schema.published(profiles.names(profiles.SHIPPED)),
    }


def rules() -> str:
    """An EventBridge rule for each kind of event that wakes a control."""
    resources: dict[str, Any] = {}
    for (detail_type, source, match, reads_too, failed_too), names in sorted(_grouped().items()):
        title = _rule_title(detail_type, source)
        if f"{title}Rule" in resources:  # the same service with another match is another rule
            title += str(sum(name.startswith(title) for name in resources) + 1)
        resources[f"{title}Rule"] = {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": _Sub("${AWS::StackName}-" + re.sub(r"(?<!^)(?=[A-Z])", "-", title).lower()),
                "Description": _rule_description(detail_type, source),
                "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" if reads_too else "ENABLED",
                "EventPattern": pattern(detail_type, source, names, json.loads(match), failed_too=failed_too),
                "Targets": [
                    {
                        "Id": "wakes",
                        "Arn": _GetAtt("WakesQueue.Arn"),
                        "DeadLetterConfig": {"Arn": _GetAtt("DeadLetterQueue.Arn")},
                    }
                ],
            },
        }
    return _yaml(resources)


def pattern(
    detail_type: str, source: str, names: tuple[str, ...], match: Mapping[str, Any], *, failed_too: bool
) -> dict[str, Any]:
    """The event pattern of one rule. A call that failed changed nothing, so it wakes only who asks for it.

    The source is what makes an event AWS's own: everything else in it can be written by whoever may call PutEvents.
    """
    detail: dict[str, Any] = {"eventSource": [source]} if source else {}
    if names:
        detail["eventName"] = list(names)
    if detail_type == "AWS API Call via CloudTrail" and not failed_too:
        detail["errorCode"] = [{"exists": False}]
    return {"source": [{"prefix": AWS}], "detail-type": [detail_type], "detail": detail | dict(match)}


def eyes() -> str:
    """What the read-only role may do: each control's declared reads."""
    return _yaml([_statement(control.id, control.reads) for control in _holding("reads")])


def hands() -> str:
    """What the writing role may do: each control's declared writes. Sessions are narrower: one control, one target."""
    return _yaml([_statement(control.id, control.writes) for control in _holding("writes")])


def reference() -> str:
    """docs/controls.md."""
    controls = sorted(registry.load().values(), key=lambda one: (one.severity.rank, one.id))
    rows = [
        f"| [{one.id}](#{one.id}) | {one.severity.value} | {one.response.value} | {_when(one)} |" for one in controls
    ]
    head = [
        "# Controls",
        "",
        "<!-- Generated from layers/plumbline/plumbline/controls by `make sync`; edit the controls, not this page. -->",
        "",
        "Every control is on unless `baseline.yaml` says `mode: off`. Severity, mode and clock are defaults.",
        "What is repaired at once and is still there a day later, whatever holds it back, is escalated.",
        "",
        "| control | severity | mode | repairs |",
        "| --- | --- | --- | --- |",
        *rows,
    ]
    return "\n".join([*head, *(line for one in controls for line in _chapter(one))]) + "\n"


def _chapter(control: Control) -> Iterator[str]:
    prose = control.prose
    yield from ("", f"## {control.id}", "", prose["Title"])
    for heading in SECTIONS:
        yield from ("", f"**{heading}.** {prose[heading]}")
    wakes = ", ".join(f"`{name}`" for on in control.wakes_on for name in on.names or (on.detail_type,))
    yield from ("", f"**Wakes on.** {wakes}")
    yield from ("", f"**Reads.** {_actions(control.reads)} **Writes.** {_actions(control.writes)}")
    if control.settings:
        yield from ("", "| setting | default | meaning |", "| --- | --- | --- |")
        for name, schema in control.settings.items():
            yield f"| `{name}` | `{json.dumps(schema.get('default'))}` | {schema['description'].replace('|', '/')} |"


def _actions(actions: frozenset[str]) -> str:
    return (", ".join(f"`{one}`" for one in sorted(actions)) or "nothing") + "."


def _when(control: Control) -> str:
    if control.response is Response.ALERT:
        return "never; tells"
    return "; ".join(
        f"{_act(clock)}{'' if name == 'default' else f' ({name})'}" for name, clock in control.clocks.items()
    )


def _act(clock: Clock) -> str:
    if clock.act is None:
        return "never; tells"
    hours = int(clock.act.total_seconds() // 3600)
    return "at once" if not hours else f"after {hours // 24} days" if hours % 24 == 0 else f"after {hours} hours"


def _grouped() -> dict[RuleKey, tuple[str, ...]]:
    groups: dict[RuleKey, set[str]] = {}
    for control in registry.load().values():
        for on in control.wakes_on:
            groups.setdefault(rule_key(on), set()).update(on.names)
    return {key: tuple(sorted(names)) for key, names in groups.items()}


def rule_key(on: On) -> RuleKey:
    """What two wakes must share to share a rule."""
    return (on.detail_type, on.source, json.dumps(on.match, sort_keys=True), on.reads_too, on.failed_too)


def _rule_title(detail_type: str, source: str) -> str:
    service = (source or "root").split(".")[0].capitalize()
    return f"{service}SignIn" if "Sign In" in detail_type and service != "Signin" else service


def _rule_description(detail_type: str, source: str) -> str:
    return f"Wakes Plumbline: {source or 'any service'}, {detail_type}"


def _statement(control: str, actions: frozenset[str]) -> dict[str, Any]:
    sid = "".join(word.capitalize() for word in control.split("-"))
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": "*"}


def _holding(kind: str) -> list[Control]:
    return [one for one in registry.load().values() if getattr(one, kind)]


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


class _Dumper(yaml.SafeDumper):
    """Writes lists indented, as the hand-written part does."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002
        super().increase_indent(flow, False)


_Dumper.add_representer(_Sub, lambda dumper, value: dumper.represent_scalar("!Sub", value, style='"'))
_Dumper.add_representer(_GetAtt, lambda dumper, value: dumper.represent_scalar("!GetAtt", value))


def _yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True).rstrip()

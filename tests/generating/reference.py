"""docs/controls.md: what each control holds, why, and what it needs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from plumbline.controls import registry
from plumbline.core.clock import Clock, Response
from plumbline.core.control import SECTIONS, Control


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

"""docs/controls.md and docs/controls/<family>.md: what each control holds, why, and what it needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta

from plumbline.controls import registry
from plumbline.core.clock import Clock, Response
from plumbline.core.control import SECTIONS, Control, Looks, Scope
from tests.generating.frameworks import Source

#: Where the sweep looks, in a person's words.
_LOOKS = {
    Scope.GLOBAL: "once for the account",
    Scope.HOME: "in the region Plumbline is deployed in",
    Scope.BILLING: "in us-east-1, where the bill is measured",
    Scope.EACH: "in each region that `regions` of baseline.yaml names, else in the home region",
}
_EDIT = "edit the controls, not this page. -->"


def families() -> Mapping[str, list[Control]]:
    """The controls by family, the worst first."""
    found: dict[str, list[Control]] = {}
    for control in sorted(registry.load().values(), key=lambda one: (one.severity.rank, one.id)):
        found.setdefault(registry.family(control.id), []).append(control)
    return dict(sorted(found.items()))


def chapter(control_id: str) -> str:
    """Where a control is described, from docs/."""
    return f"controls/{registry.family(control_id)}.md#{control_id}"


def overview() -> str:
    """docs/controls.md."""
    head = [
        "# Controls",
        "",
        f"<!-- Generated from layers/plumbline/plumbline/controls by `make sync`; {_EDIT}",
        "",
        "Every control is on unless `baseline.yaml` says `mode: off`. Severity, mode and clock are defaults.",
        "Each has the clock `cannot-be-looked-at` too: what it is refused to look at is told, never repaired.",
        "What is repaired at once and is still there a day later, whatever holds it back, is escalated.",
        "[frameworks.md](frameworks.md) says which published baseline asks for what.",
    ]
    tables = (
        line
        for family, controls in families().items()
        for line in (
            "",
            f"## {family}",
            "",
            "| control | holds | severity | mode | repairs |",
            "| --- | --- | --- | --- | --- |",
            *(_row(one) for one in controls),
        )
    )
    return "\n".join([*head, *tables]) + "\n"


def pages(sources: Mapping[str, Source]) -> Mapping[str, str]:
    """docs/controls/<family>.md by name, one chapter a control.

    Args:
        sources: the published baselines by key, for the names of what a control answers.
    """
    return {
        f"{family}.md": "\n".join(
            [
                f"# Controls: {family}",
                "",
                f"<!-- Generated from layers/plumbline/plumbline/controls/{family} by `make sync`; {_EDIT}",
                "",
                "[All controls](../controls.md)",
                *(line for one in controls for line in _chapter(one, sources)),
            ]
        )
        + "\n"
        for family, controls in families().items()
    }


def _row(control: Control) -> str:
    where = f"[{control.id}]({chapter(control.id)})"
    title = control.prose["Title"].removesuffix(".")
    return f"| {where} | {title} | {control.severity.value} | {control.response.value} | {_when(control)} |"


def _chapter(control: Control, sources: Mapping[str, Source]) -> Iterator[str]:
    prose = control.prose
    yield from ("", f"## {control.id}", "", prose["Title"], "", "| | |", "| --- | --- |")
    facts = {
        "severity": control.severity.value,
        "mode": f"{control.response.value}{f'; off until `{control.needs}` is set' if control.needs else ''}",
        "looked at": _looks(control),
        "answers": "; ".join(f"{sources[key]['name']}: {', '.join(items)}" for key, items in control.answers.items()),
        "earlier ids": ", ".join(control.aliases),
        "since": control.since,
    }
    yield from (f"| {name} | {text} |" for name, text in facts.items() if text)
    for heading in SECTIONS:
        yield from ("", f"**{heading}.** {prose[heading]}")
    yield from ("", "| clock | reminds | escalates | then |", "| --- | --- | --- | --- |")
    for name, clock in control.clocks.items():
        again = [f"every {_after(clock.every)}"] if clock.every else []
        reminds = ", ".join([*(_after(one) for one in clock.remind), *again]) or "never"
        escalates = "never" if clock.escalate is None else f"after {_after(clock.escalate)}"
        yield f"| `{name}` | {reminds} | {escalates} | {_does(control, clock)} |"
    wakes = ", ".join(f"`{name}`" for on in control.wakes_on for name in on.names or (on.detail_type,))
    often = "every ten minutes" if control.house else "by each sweep"
    yield from ("", f"**Wakes on.** {wakes or f'Nothing: it is looked at {often}, whatever happens.'}")
    yield from ("", f"**Reads.** {_actions(control.reads)} **Writes.** {_actions(control.writes)}")
    if control.settings:
        yield from ("", "| setting | default | meaning |", "| --- | --- | --- |")
        for name, schema in control.settings.items():
            yield f"| `{name}` | `{json.dumps(schema.get('default'))}` | {schema['description'].replace('|', '/')} |"


def _looks(control: Control) -> str:
    if control.witness is not None:
        return "never; only events tell"
    return f"{_LOOKS[control.scope]}{'' if control.looks is Looks.EACH_SWEEP else f', {control.looks.value}'}"


def _actions(actions: frozenset[str]) -> str:
    return (", ".join(f"`{one}`" for one in sorted(actions)) or "nothing") + "."


def _when(control: Control) -> str:
    """When something is repaired, clock by clock, in a few words."""
    if control.response is Response.ALERT:
        return "only told"
    return "; ".join(
        f"{_does(control, clock)}{'' if name == 'default' else f' ({name})'}" for name, clock in control.clocks.items()
    )


def _does(control: Control, clock: Clock) -> str:
    if clock.act is None or control.response is Response.ALERT:
        return "only told"
    when = f"after {_after(clock.act)}" if clock.act else "at once"
    return f"proposed {when}" if Response.PROPOSE in (control.response, clock.mode) else when


def _after(time: timedelta) -> str:
    hours = int(time.total_seconds() // 3600)
    count, unit = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{count} {unit}{'s' * (count != 1)}"

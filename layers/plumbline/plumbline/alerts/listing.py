"""Findings as they stand in lists within an alert. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from plumbline.alerts.wording import WIDTH, clean, wrapped
from plumbline.core.control import Control
from plumbline.findings.finding import DIGEST, Finding, Status

#: What nobody but a person can do is told in whole sentences, of which the last is often the one that matters.
NEXT = 600


def alike(controls: Mapping[str, Control], findings: Sequence[Finding]) -> Iterator[Sequence[Finding]]:
    """Findings as lists show them: those that only their region tells apart, together; else in the order given.

    Args:
        controls: the registry.
        findings: of any controls.
    """
    rows: dict[object, list[Finding]] = {}
    for one in findings:
        rows.setdefault(but_for_its_region(controls, one), []).append(one)
    yield from rows.values()


def but_for_its_region(controls: Mapping[str, Control], finding: Finding) -> object:
    """What a row says, where the target is called after its region; else the finding itself."""
    control = controls.get(finding.control)
    if control is None or "{region}" not in control.noun or finding.target.is_pattern:
        return finding.id
    target = replace(finding.target, region="")
    return control.id, target, finding.deviation.summary, finding.status, what_next(finding), finding.unheard


def named_together(controls: Mapping[str, Control], group: Sequence[Finding], of: int = 0) -> str:
    """Findings of `alike` in one line: the target, in how many regions, and what is wrong with it.

    Args:
        controls: the registry.
        group: findings that only their region tells apart.
        of: how many such there are, where others stand elsewhere.
    """
    first = group[0]
    if len(group) == 1:
        return named(controls, first)
    which = f"{len(group)} of {of}" if of > len(group) else f"each of {len(group)}"
    everywhere = replace(first, target=replace(first.target, region=f"{which} regions"))
    return named(controls, everywhere)


def each_region(group: Sequence[Finding]) -> str:
    """Which of them is which; empty where there is only one."""
    regions = sorted((one.target.region, one.short) for one in group)
    return ", ".join(f"{region}:{short}" for region, short in regions) if len(group) > 1 else ""


def entry(controls: Mapping[str, Control], group: Sequence[Finding], *, next_step: bool = True) -> list[str]:
    """The lines of one row of a list: what it is, what comes next unless that is left out, and in which regions."""
    first = group[0]
    below_it = (what_next(first) if next_step else "", each_region(group))
    lines = hanging(f"{first.short}  {named_together(controls, group)}")
    return [*lines, *(line for text in below_it if text for line in below(text))]


def named(controls: Mapping[str, Control], finding: Finding) -> str:
    """A finding in one line: its target and what is wrong with it."""
    control = controls.get(finding.control)
    return clean(f"{control.name(finding.target) if control else finding.target} {finding.deviation.summary}", 200)


def what_next(finding: Finding) -> str:
    """What comes next for a finding, or what became of it."""
    if not finding.is_open:
        return finding.status.value
    if finding.status is Status.EXEMPT:
        return f"exempt until {finding.due:%Y-%m-%d %H:%M} UTC" if finding.due else "exempt"
    if finding.outbox == f"{DIGEST}repaired" and finding.repairs[-1].plan.left:
        return clean(f"what can be repaired is; {finding.then}", NEXT)
    if finding.outbox == f"{DIGEST}repaired":
        at = f" until {finding.grace_until:%Y-%m-%d %H:%M} UTC" if finding.grace_until else ""
        return f"what was new is repaired; what was there before is left alone{at}"
    if finding.then:
        return clean(finding.then, NEXT)
    if finding.due is None:
        return "waits for a person"
    return f"next step {finding.due:%Y-%m-%d %H:%M} UTC"


def hanging(text: str) -> list[str]:
    """A row of a list, its further lines indented."""
    first, *rest = wrapped(text, WIDTH - 10)
    return [f"    {first}", *(f"          {line}" for line in rest)]


def below(text: str) -> list[str]:
    """What stands below a row of a list."""
    return [f"          {line}" for line in wrapped(text, WIDTH - 10)]

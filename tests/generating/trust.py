"""docs/trust.md: what people with some rights can do to Plumbline, by what comes of it; from the stories themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.attacks.attack import Attack, Open, Prevented, Told, Way

#: What no story says: how to read the page, what remains for whom, and what an account on this machine cannot show.
_HEAD = Path(__file__).with_name("trust.md")

_ORDER = (Way.TRIPWIRE, Way.ELSEWHERE, Way.LOOK, Way.EVENT, Way.STACK, Way.HOUSE, Way.SWEEP, Way.ALARM)


def page(chapters: Mapping[str, Sequence[Attack]]) -> str:
    """docs/trust.md.

    Args:
        chapters: the stories, by what they are about.
    """
    everything = [one for stories in chapters.values() for one in stories]
    counts = {kind: sum(isinstance(one.verdict, kind) for one in everything) for kind in (Prevented, Told, Open)}
    ways = "\n".join(f"| {way.words} | {way.within} |" for way in _ORDER)
    head = _HEAD.read_text().format(
        count=len(everything),
        prevented=counts[Prevented],
        told=counts[Told],
        open=counts[Open],
        ways=f"| told by | within |\n| --- | --- |\n{ways}",
    )
    parts = [head, *_open(chapters), *_told(chapters), *_prevented(chapters)]
    return "\n".join(parts) + "\n"


def _open(chapters: Mapping[str, Sequence[Attack]]) -> Iterator[str]:
    yield "## Open"
    yield ""
    yield "| attack | rights | why | and yet |"
    yield "| --- | --- | --- | --- |"
    for one in _of(chapters, Open):
        assert isinstance(one.verdict, Open)
        told = one.verdict.told
        yet = f"told by {_by(told)}, where he does not silence it first" if told else "nothing else"
        yield f"| {_cell(one.name)} | {_cell(one.who.described)} | {_cell(one.verdict.because)} | {yet} |"


def _told(chapters: Mapping[str, Sequence[Attack]]) -> Iterator[str]:
    yield ""
    yield "## Told"
    yield ""
    yield "| attack | rights | told by | within | put back |"
    yield "| --- | --- | --- | --- | --- |"
    for one in _of(chapters, Told):
        assert isinstance(one.verdict, Told)
        way = one.verdict.way
        back = "yes" if one.verdict.mended else ""
        yield f"| {_cell(one.name)} | {_cell(one.who.described)} | {way.words} | {way.within} | {back} |"


def _prevented(chapters: Mapping[str, Sequence[Attack]]) -> Iterator[str]:
    yield ""
    yield "## Prevented"
    for title, stories in chapters.items():
        mine = [one for one in stories if isinstance(one.verdict, Prevented)]
        if not mine:
            continue
        yield ""
        yield f"### {title}"
        yield ""
        yield "| attack | rights | by |"
        yield "| --- | --- | --- |"
        for one in mine:
            assert isinstance(one.verdict, Prevented)
            yield f"| {_cell(one.name)} | {_cell(one.who.described)} | {_cell(one.verdict.by)} |"


def _of(chapters: Mapping[str, Sequence[Attack]], kind: type) -> Iterator[Attack]:
    return (one for stories in chapters.values() for one in stories if isinstance(one.verdict, kind))


def _by(told: Told) -> str:
    return f"{told.way.words}, within {told.way.within}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")

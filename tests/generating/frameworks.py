"""docs/frameworks.md: which item of each published baseline is answered, by which control, and why others are not.

sources/<key>.yaml says what a source asks, in its own order; a control's `answers` says which of its items it holds.

A source has `name`, `publisher`, `version`, `title` and `address` of its public page, and `items`; a `note` stands
above its table. An item has `id`, `asks` (in words of our own) and, where no control answers it, a `verdict`:

* `planned`, and `by`: the controls that will;
* `person`: it takes a person, or a decision that is none of ours;
* `no-api`: AWS offers no call for it;

and `why`, for whoever hoped for more. An item that is answered in part says what is left in `partly`, and names in `by`
the controls that will do that, where there will be some.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import yaml
from jsonschema import Draft202012Validator

Source = Mapping[str, Any]
Item = Mapping[str, Any]

#: Verdict -> how the page says it.
VERDICTS = {"planned": "planned", "person": "needs a person", "no-api": "no API"}
_TEXT = {"type": "string", "minLength": 1}
_ITEM = {
    "type": "object",
    "properties": {
        "id": _TEXT,  # YAML takes 2.10 without quotes for the number 2.1
        "asks": _TEXT,
        "partly": _TEXT,
        "verdict": {"enum": list(VERDICTS)},
        "by": {"type": "array", "items": _TEXT, "minItems": 1, "uniqueItems": True},
        "why": _TEXT,
    },
    "required": ["id", "asks"],
    "additionalProperties": False,
}
_SHAPE = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("name", "publisher", "version", "title", "address", "note"), _TEXT),
        "items": {"type": "array", "items": _ITEM, "minItems": 1},
    },
    "required": ["name", "publisher", "version", "title", "address", "items"],
    "additionalProperties": False,
}

_HEAD = """\
# Published baselines

<!-- Generated from sources/ and the controls by `make sync`; edit those, not this page. -->

What published baselines ask of an AWS account, and what answers it here. An item is answered *in part* until all of it
is held. *Planned* names the controls that will answer it. *Needs a person* is what only you can know or decide;
*no API* is what AWS lets no program do.

A control answers an item while it is on, in a mode and with settings that are no weaker than its defaults, and within
the [known limits](operating.md#known-limits) of what Plumbline hears.
"""


class Answering(Protocol):
    """What this page needs of a control."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def answers(self) -> Mapping[str, tuple[str, ...]]:
        """Source -> the items of it that the control holds, wholly or in part."""


def load(folder: Path) -> dict[str, Source]:
    """Every source of a folder, by the name of its file, in the order of those names.

    Args:
        folder: where the sources' YAML files are.

    Raises:
        OSError: a file cannot be read.
        yaml.YAMLError: a file is no YAML.
    """
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yaml"))}


def page(sources: Mapping[str, Source], controls: Mapping[str, Answering], *, link: Callable[[str], str]) -> str:
    """docs/frameworks.md: one chapter and one table for each source.

    Args:
        sources: by key, without `problems`.
        controls: by id.
        link: a control's id -> where its chapter is, as seen from the page.
    """
    chapters = [line for key, source in sources.items() for line in _chapter(source, _answering(key, controls), link)]
    return "\n".join([_HEAD, *chapters]).rstrip() + "\n"


def problems(sources: Mapping[str, Source], controls: Mapping[str, Answering]) -> list[str]:
    """What is wrong with the sources and the controls' answers together: one line each, empty when all fits.

    Args:
        sources: by key, as they were loaded.
        controls: by id.
    """
    misshapen = {key: list(_misshapen(key, source)) for key, source in sources.items()}
    items = {key: source["items"] for key, source in sources.items() if not misshapen[key]}
    return [
        *(line for lines in misshapen.values() for line in lines),
        *(line for control in controls.values() for line in _strange_answers(control, sources, items)),
        *(line for key in items for line in _item_problems(key, items[key], controls)),
    ]


def _chapter(source: Source, answering: Mapping[str, Sequence[str]], link: Callable[[str], str]) -> Iterator[str]:
    yield f"## {source['name']}"
    yield ""
    yield f"[{source['title']}]({source['address']}), {source['publisher']}. Version: {source['version']}."
    if "note" in source:
        yield from ("", str(source["note"]))
    yield from ("", _summary(source["items"], answering), "")
    yield "| item | asks | answered by | what is left, and why |"
    yield "| --- | --- | --- | --- |"
    for item in source["items"]:
        answer = _answer(item, answering.get(item["id"], ()), link)
        yield f"| {item['id']} | {_cell(item['asks'])} | {answer} | {_cell(_rest(item))} |"
    yield ""


def _summary(items: Sequence[Item], answering: Mapping[str, Sequence[str]]) -> str:
    """How many items stand how, none left out."""
    counts = Counter(_standing(item, answering) for item in items)
    words = ("answered", "answered in part", *VERDICTS.values())
    return f"{len(items)} items: " + ", ".join(f"{word} {counts[word]}" for word in words) + "."


def _standing(item: Item, answering: Mapping[str, Sequence[str]]) -> str:
    if item["id"] in answering:
        return "answered in part" if "partly" in item else "answered"
    return VERDICTS[item["verdict"]]


def _answer(item: Item, controls: Sequence[str], link: Callable[[str], str]) -> str:
    links = ", ".join(f"[{one}]({link(one)})" for one in controls)
    if controls:
        return f"in part: {links}" if "partly" in item else links
    return f"*{VERDICTS[item['verdict']]}*" + (f": {_ids(item['by'])}" if "by" in item else "")


def _rest(item: Item) -> str:
    if "partly" not in item:
        return str(item.get("why", ""))
    planned = f" Planned: {_ids(item['by'])}." if "by" in item else ""
    return f"{item['partly']}{planned}"


def _ids(controls: Sequence[str]) -> str:
    return ", ".join(f"`{one}`" for one in controls)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _answering(key: str, controls: Mapping[str, Answering]) -> dict[str, list[str]]:
    """Item of a source -> the controls that answer it."""
    found: dict[str, list[str]] = {}
    for control in controls.values():
        for item in control.answers.get(key, ()):
            found.setdefault(item, []).append(control.id)
    return found


def _misshapen(key: str, source: Source) -> Iterator[str]:
    """Keys and values that no source has."""
    for error in Draft202012Validator(_SHAPE).iter_errors(source):
        place = [f"{one + 1}" if isinstance(one, int) else one for one in error.path]
        yield ": ".join(filter(None, [key, " ".join(place), error.message]))


def _strange_answers(
    control: Answering, sources: Mapping[str, Source], items: Mapping[str, Sequence[Item]]
) -> Iterator[str]:
    """What a control answers that nobody asks, or more than once."""
    for key, answered in control.answers.items():
        if key not in sources:
            yield f"control {control.id} answers source {key}, which does not exist{_nearest(key, list(sources))}"
        asked = [item["id"] for item in items[key]] if key in items else answered
        for one, often in Counter(answered).items():
            if one not in asked:
                yield f"control {control.id} answers {key} {one}, which does not exist{_nearest(one, asked)}"
            if often > 1:
                yield f"control {control.id} answers {key} {one} {often} times; name it once"


def _item_problems(key: str, items: Sequence[Item], controls: Mapping[str, Answering]) -> Iterator[str]:
    answering = _answering(key, controls)
    for one, often in Counter(item["id"] for item in items).items():
        if often > 1:
            yield f"{key} {one}: the id stands {often} times; keep one"
    for item in items:
        for advice in _advice(item, answering.get(item["id"], ()), controls):
            yield f"{key} {item['id']}: {advice}"


def _advice(item: Item, answered_by: Sequence[str], controls: Mapping[str, Answering]) -> Iterator[str]:
    """An item is answered, answered in part, or has a verdict that says why not: one of the three, and not two."""
    verdict, partly, by = item.get("verdict"), "partly" in item, item.get("by", ())
    if answered_by and verdict:
        who = ", ".join(answered_by)
        yield f"answered by {who}, and has the verdict {verdict}; remove it, or say in `partly` what is left"
    if not answered_by and partly:
        yield "says what is left, and no control answers any of it; give it a verdict"
    if not (answered_by or verdict or partly):
        yield "no control answers it, and it has no verdict; write planned, person or no-api, and why"
    if bool(verdict) != ("why" in item):
        yield "a verdict and `why` belong together; write both or neither"
    if verdict == "planned" and not by:
        yield "is planned, and `by` does not say by which control"
    if by and verdict != "planned" and not partly:
        yield "`by` is for what is planned; remove it"
    yield from (f"planned by {one}, which exists; let it answer the item" for one in by if one in controls)


def _nearest(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""

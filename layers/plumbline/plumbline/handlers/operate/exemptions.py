"""Commands that leave something alone for a while, and that end it: exempt, unexempt, exemptions."""

from __future__ import annotations

import difflib
import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from plumbline.alerts import decisions, wording
from plumbline.alerts.shell import pasted
from plumbline.core.clock import utc
from plumbline.core.errors import PlumblineError, TooLarge
from plumbline.core.targets import Target
from plumbline.decisions.credible import doubt
from plumbline.decisions.exemptions import (
    ANY,
    ID_BEGINS,
    Exemption,
    any_covering,
    covers_nothing,
    exactly,
    granted,
    kept,
    kinds_of,
    literal,
    matches_everything,
)
from plumbline.findings.finding import Finding, Status, spoken
from plumbline.handlers.operate.asked import ALL, MOST_WRITTEN, Answer, Asked, Refused, control_of, finding_of
from plumbline.handlers.operate.lists import NOT_TO_WAIT, paragraphs, table, wrapped
from plumbline.handlers.operate.pages import FOR_PEOPLE, FOR_SCRIPTS, fitting, page, some
from plumbline.handlers.operate.typed import Typed, text_of, until_of

#: Each has an item of its own in the ledger, so it is people who lose the overview; every sweep reads all of them.
_MOST_EXEMPTIONS = 5_000
#: Of patterns each look at a target reads which there are: some 30 bytes, where 4,096 cost a unit.
_MOST_PATTERNS = 2_000


_WILD = "*?["
_LATER = f"Of so many the first {MOST_WRITTEN} are listed as exempt from now on, the others once they are looked at."
#: Of a digest, in place of a number.
_DIGITS = 12


_STILL = (Status.OPEN, Status.FAILED, Status.EXEMPT)


EXEMPT_EXAMPLE = "exempt 7F3K --days 7 --owner ann --reason 'moves to the new account in May'"


def exempt(asked: Asked, typed: Typed) -> Answer:
    """Leave a target alone, or all that a pattern covers."""
    control, pattern = _what(asked, typed)
    until = until_of(
        asked,
        typed,
        most_days=asked.plumbline.engine.baseline.patience.exemption_days,
        setting="exemptions.max_days",
    )
    owner, reason = (text_of(typed, option) for option in ("owner", "reason"))
    ledger, now = asked.plumbline.ledger, asked.now
    before = ledger.all_exemptions(asked.account)
    same = [one for one in before if (one.control, one.target) == (control, pattern) and one.until > now]
    _refuse_too_many([one for one in kept(before, now) if one not in same], pattern)
    made = granted(Exemption(control, pattern, owner, reason, until, by=asked.by), before, now)
    try:
        ledger.exempt(asked.account, made, now, instead=True)
    except TooLarge as error:
        raise Refused(
            f"{error}. End some of them first, or type a shorter reason. Type: plumbline exemptions"
        ) from error
    covered = [one for one in asked.open_findings() if made.covers(one.control, one.target)]
    asked.put_all(
        [
            # where a repair may have begun, the next sweep looks first: it must not go untold
            replace(one, status=Status.EXEMPT, due=until, then="") if one.status in _STILL else replace(one, due=now)
            for one in covered[:MOST_WRITTEN]
        ]
    )
    trouble = asked.tell(decisions.exempted(made, len(covered), asked.plumbline.engine.deployment.sender))
    facts = _facts(made) | {
        "Replaces": ", ".join(one.id for one in same),
        "Covers now": some([one.short for one in covered]) or "no open finding",
    }
    text = f"Exempt as {made.id}. It is still watched and listed; nothing of it is repaired.\n{table(facts)}"
    later = "" if len(covered) <= MOST_WRITTEN else _LATER
    end = f"To end it before its time, type: {pasted('unexempt', made.id)}"
    return Answer(paragraphs(text, later, end, trouble), {"exemption": made.to_json(), **_ids("covers", covered)})


def unexempt(asked: Asked, typed: Typed) -> Answer:
    """End an exemption before its time."""
    ledger, now = asked.plumbline.ledger, asked.now
    before = ledger.all_exemptions(asked.account)
    wanted = control_of(asked, typed.options["control"]) if "control" in typed.options else ""
    meant = [
        one
        for one in _named(asked, typed.word, [one for one in before if one.until > now])
        if not wanted or one.control == wanted
    ]
    if not meant:
        raise Refused(_no_exemption(asked, typed.word))
    if len(meant) > 1:
        lines = [f"  {one.id}  {one.control}  {wording.clean(one.target, 60)}" for one in meant]
        shown = some(lines, between="\n")
        raise Refused(f"{len(meant)} exemptions fit:\n{shown}\nSay which. Type: {pasted('unexempt', meant[0].id)}")
    (ended,) = meant
    left = [one for one in before if one != ended]
    ledger.unexempt(asked.account, ended, now)
    still = any_covering((*left, *asked.plumbline.engine.baseline.exemptions), now)
    freed = [
        one
        for one in asked.open_findings()
        if ended.covers(one.control, one.target) and not still(one.control, one.target)
    ]
    # the sweep finds the others, which are exempt where nothing exempts them
    asked.put_all([replace(one, due=now) for one in freed[:MOST_WRITTEN]])
    trouble = asked.tell(decisions.unexempted(ended, asked.by, asked.plumbline.engine.deployment.sender))
    which = some([one.short for one in freed]) or "nothing that is open"
    text = f"The exemption {ended.id} is over. The next sweep judges again what it covered ({which})."
    return Answer(paragraphs(text, NOT_TO_WAIT, trouble), {"ended": ended.to_json(), **_ids("frees", freed)})


def exemptions(asked: Asked, typed: Typed) -> Answer:
    """All that is exempt, and until when; what ends soonest first, a page at a time."""
    own = asked.plumbline.ledger.all_exemptions(asked.account)
    typed_here = {id(one) for one in own}
    both = [one for one in (*own, *asked.plumbline.engine.baseline.exemptions) if one.until > asked.now]
    found = sorted(both, key=_place)
    if not found:
        return Answer("Nothing is exempt.", {"exemptions": [], "count": 0, "next": None})
    controls, days = asked.plumbline.engine.controls, asked.plumbline.engine.baseline.patience.exemption_days
    nothing = cache(lambda control, target: covers_nothing(control, target, controls, asked.account))
    at = _begins(typed, found)
    shown = page(found, at, FOR_PEOPLE)
    part, entries = fitting(
        found, at, lambda one: {**one.to_json(), "covers_nothing": nothing(one.control, one.target)}
    )
    lines = []
    for one in shown.shown:
        why = nothing(one.control, one.target)
        never = doubt(one, days, asked.now) if id(one) in typed_here else ""
        lines += [
            f"{one.id or 'baseline.yaml'}  {decisions.rule(one.control)}, until {one.until:%Y-%m-%d %H:%M} UTC",
            *wrapped(wording.clean(one.target, 400), " " * 6),
            *wrapped(wording.clean(f"{one.owner}: {one.reason}", 400), " " * 6),
            *(wrapped(f"COVERS NOTHING: {why}", " " * 6) if why else ()),
            *(wrapped(f"NOT BELIEVED, and so without effect: {never}", " " * 6) if never else ()),
        ]
    foot = shown.foot(typed, _behind)
    number = next((one.id for one in shown.shown if one.id), "")
    if number:
        foot.append(f"To end one before its time, type: {pasted('unexempt', number)}")
    lines += ["", *foot] if lines and foot else foot
    data = {"exemptions": entries, "count": len(found), "next": list(part.next(typed, _behind)) or None}
    return Answer("\n".join(lines), data)


def _refuse_too_many(others: Sequence[Exemption], pattern: str) -> None:
    """Refuse one more where there are so many that nobody reads them, or that every look pays for them."""
    patterns = sum(literal(one.target) is None for one in others)
    if len(others) >= _MOST_EXEMPTIONS:
        raise Refused(
            f"there are {len(others)} exemptions, the most there may be. End some, or let one pattern take the "
            "place of many. Type: plumbline exemptions"
        )
    if literal(pattern) is None and patterns >= _MOST_PATTERNS:
        raise Refused(
            f"there are {patterns} exemptions by pattern, the most there may be. End some, or name targets one by one. "
            "Type: plumbline exemptions"
        )


def _place(one: Exemption) -> tuple[datetime, str]:
    """Where an exemption stands in the list; those of baseline.yaml have no number."""
    written = f"{one.control}|{one.target}|{one.owner}|{one.reason}"
    return one.until, one.id or hashlib.sha256(written.encode()).hexdigest()[:_DIGITS]


def _behind(one: Exemption) -> str:
    """Where the next page begins, as `--after` takes it: by its place, for an exemption that is ended is gone."""
    until, name = _place(one)
    return f"{until.isoformat()},{name}"


def _begins(typed: Typed, found: Sequence[Exemption]) -> int:
    """How many of the list come before the page that a person asks for."""
    if "after" not in typed.options:
        return 0
    given = typed.options["after"]
    until, _, name = given.partition(",")
    try:
        return bisect_right(found, (utc(until), name), key=_place)
    except ValueError as error:
        raise Refused(
            f"'{wording.clean(given, 60)}' is no place in this list; --after takes what the page before it says. "
            f"Type: {typed.again(without=('after',))}"
        ) from error


def _what(asked: Asked, typed: Typed) -> tuple[str, str]:
    """The control and the pattern of targets that a person wants to be exempt."""
    word = typed.word.strip()
    given = typed.options.get("control", "")
    if not any(char in word for char in f"/{_WILD}"):
        finding = finding_of(asked, word)
        return control_of(asked, given or finding.control), exactly(finding.target)
    if not given:
        raise Refused(
            f"say from which rule: --control ID, or --control all. Type: {_whole(typed, word, {'control': ALL})}"
        )
    control = control_of(asked, given)
    if not any(char in word for char in _WILD):
        target = _target(asked, typed, word)
        if target.account != asked.account:
            raise Refused(f"this Plumbline holds account {asked.account}, not {wording.clean(target.account, 20)}")
        _refuse_unknown_kind(asked, control, target.kind)
        return control, str(target)
    head = word[: min(word.index(char) for char in _WILD if char in word)]
    if not (f"{asked.account}/".startswith(head) or head.startswith(f"{asked.account}/")):
        raise Refused(
            f"no target begins with '{wording.clean(head, 40)}': targets read account/region/kind/id. "
            f"Type: {_whole(typed, _of_some_kind(asked, control, word))}"
        )
    if matches_everything(word, asked.account) and "all" not in typed.flags:
        raise Refused(
            f"the pattern '{wording.clean(word, 80)}' covers everything. Name a kind, as in '*/s3-bucket/logs-*'; or, "
            f"if you mean it, type: {_whole(typed, word, flags=['all'])}"
        )
    _refuse_pointless(asked, typed, control, word)
    return control, word


def _whole(typed: Typed, word: str, options: Mapping[str, str] | None = None, flags: Sequence[str] = ()) -> str:
    """The same exemption as it can be pasted, for another target; what is missing in it is filled in."""
    ends = {"days", "until"} & set(typed.options)
    missing = {"days": "" if ends else "7", "owner": "WHO", "reason": "WHY"}
    filled = {name: text for name, text in missing.items() if text and name not in typed.options}
    return typed.again(word, options={**filled, **(options or {})}, flags=flags)


def _of_some_kind(asked: Asked, control: str, word: str) -> str:
    """The pattern that was meant by who wrote only how a name begins."""
    kinds = sorted(kinds_of(control, asked.plumbline.engine.controls)) or ["s3-bucket"]
    return f"{ANY}/{kinds[0]}/{word.rpartition('/')[2]}"


def _target(asked: Asked, typed: Typed, word: str) -> Target:
    try:
        return Target.parse(word)
    except PlumblineError as error:
        whole = f"{ANY}/{word}" if word.count("/") == 1 else f"{asked.account}/*/*/{word.rpartition('/')[2]}"
        raise Refused(f"{error}. Type: {_whole(typed, whole)}") from error


def _refuse_pointless(asked: Asked, typed: Typed, control: str, pattern: str) -> None:
    controls = asked.plumbline.engine.controls
    why = covers_nothing(control, pattern, controls, asked.account)
    if why:
        known = sorted(kinds_of(control, controls))
        near = (
            pattern.replace(f"/{part}/", f"/{kind}/")
            for part in pattern.split("/")
            for kind in difflib.get_close_matches(part, known, n=1)
        )
        instead = next((one for one in near if not covers_nothing(control, one, controls, asked.account)), "")
        raise Refused(
            f"'{wording.clean(pattern, 80)}' covers nothing: {why}. "
            f"Type: {_whole(typed, instead or f'*/{known[0]}/NAME')}"
        )


def _refuse_unknown_kind(asked: Asked, control: str, kind: str) -> None:
    known = kinds_of(control, asked.plumbline.engine.controls)
    if kind not in known:
        whose = "any rule" if control == ANY else control
        raise Refused(
            f"{whose} knows no target of the kind '{wording.clean(kind, 40)}'; write one of: {', '.join(sorted(known))}"
        )


def _named(asked: Asked, word: str, among: Sequence[Exemption]) -> Sequence[Exemption]:
    """The exemptions that a person means: by id, by target as it was typed, or by a finding."""
    typed = spoken(word)
    by_id = [one for one in among if one.id in (typed, f"{ID_BEGINS}{typed}")]
    by_target = [one for one in among if word.strip() in (one.target, one.target.replace("[", "").replace("]", ""))]
    if by_id or by_target:
        return by_id or by_target
    if "/" in word or typed.startswith(ID_BEGINS) or any(char in word for char in _WILD):
        return ()
    finding = finding_of(asked, word)
    return [one for one in among if one.covers(finding.control, finding.target)]


def _no_exemption(asked: Asked, word: str) -> str:
    shown = wording.clean(word, 80)
    if any(one.target == word.strip() for one in asked.plumbline.engine.baseline.exemptions):
        return f"'{shown}' is exempt in baseline.yaml; remove it there and deploy. Type: sam build && sam deploy"
    return f"there is no exemption '{shown}'. Type: {pasted('exemptions')}"


def _ids(name: str, found: Sequence[Finding]) -> dict[str, Any]:
    """Findings for a script: the ids of the first, and how many there are."""
    return {name: [one.id for one in found[:FOR_SCRIPTS]], f"{name}_count": len(found)}


def _facts(exemption: Exemption) -> dict[str, str]:
    return {
        "Exempt": exemption.target,
        "From": decisions.rule(exemption.control),
        "Until": wording.moment(exemption.until),
        "Owner": exemption.owner,
        "Reason": exemption.reason,
    }

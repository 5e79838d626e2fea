"""Whether the conditions of a policy statement are met by a request, as far as anybody can know. Pure.

Three answers, for much of a request is only known when it is made: met, not met, and undecided. A key that AWS never
sends with an action is missing there, and a test of a missing key has an answer too.

Source: IAM user guide, IAM JSON policy elements: Condition operators; Conditions with multiple context keys or values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from enum import Enum
from ipaddress import ip_address, ip_network
from typing import Any

from plumbline.core.clock import instant
from plumbline.rights.documents import listed, matches_exactly


class Met(Enum):
    """Whether a condition is met."""

    YES = "met"
    NO = "not met"
    UNDECIDED = "undecided"


class Missing(Enum):
    """Why there is no value of a key."""

    ABSENT = "AWS sends none with this request"
    UNKNOWN = "nobody can know it beforehand"


Values = tuple[str, ...] | Missing
#: key in lower case -> its values in the request.
Lookup = Callable[[str], Values]
#: A value of a policy with its variables replaced; None where one of them is unknown, and so nothing fits for sure.
Fill = Callable[[str], str | None]

#: Between the parts of an ARN.
_COLONS = 5
_ANY, _ALL, _IF_EXISTS = "foranyvalue:", "forallvalues:", "ifexists"


def met(condition: Mapping[str, Any], lookup: Lookup, fill: Fill) -> tuple[Met, tuple[str, ...]]:
    """Whether every test of a condition is met, and by which keys that could not be decided."""
    open_: list[str] = []
    for operator, tests in condition.items():
        for key, wanted in (tests if isinstance(tests, Mapping) else {}).items():
            answer = _test(str(operator).lower(), lookup(str(key).lower()), [str(one) for one in _texts(wanted)], fill)
            if answer is Met.NO:
                return Met.NO, ()
            if answer is Met.UNDECIDED:
                open_.append(str(key))
    return (Met.UNDECIDED if open_ else Met.YES), tuple(open_)


def _texts(wanted: Any) -> list[str]:  # noqa: ANN401 - policies hold anything
    return ["true" if one is True else "false" if one is False else str(one) for one in listed(wanted)]


def _test(operator: str, values: Values, wanted: Sequence[str], fill: Fill) -> Met:
    if operator == "null":
        if values is Missing.UNKNOWN:
            return Met.UNDECIDED
        asked = [one.lower() for one in wanted]
        return _answer(("true" if values is Missing.ABSENT else "false") in asked)
    for_any, for_all = operator.startswith(_ANY), operator.startswith(_ALL)
    plain = operator.removeprefix(_ANY).removeprefix(_ALL)
    if_exists = plain.endswith(_IF_EXISTS)
    plain = plain.removesuffix(_IF_EXISTS)
    negated = "not" in plain
    if isinstance(values, Missing):
        if values is Missing.UNKNOWN:
            return Met.UNDECIDED
        return _answer(if_exists or for_all or (negated and not for_any))
    compare = _COMPARE.get(plain.replace("not", ""))
    if compare is None:
        return Met.UNDECIDED
    filled = [None if compare is _arn and _is_no_arn(one) else fill(one) for one in wanted]
    known = [one for one in filled if one is not None]
    hits = [any(_compared(compare, one, other) for other in known) for one in values]
    if len(known) < len(filled) and not all(hits):
        return Met.UNDECIDED
    fits = [hit != negated for hit in hits]
    return _answer(all(fits) if for_all else any(fits) if for_any or not negated else all(fits))


def _answer(yes: bool) -> Met:  # noqa: FBT001 - it is the value itself
    return Met.YES if yes else Met.NO


def _compared(compare: Callable[[str, str], bool], value: str, wanted: str) -> bool:
    try:
        return compare(value, wanted)
    except ValueError:
        return False


def _arn(value: str, pattern: str) -> bool:
    """Each part of an ARN by itself: a wildcard does not reach over a colon, but in the last part."""
    mine, wanted = value.split(":", _COLONS), pattern.split(":", _COLONS)
    return len(mine) == len(wanted) and all(matches_exactly(one, two) for one, two in zip(wanted, mine, strict=True))


def _is_no_arn(pattern: str) -> bool:
    """Whether wildcards stand where an ARN is expected: whether they fit every ARN, or none, AWS does not say."""
    return pattern.count(":") < _COLONS and bool(set(pattern) & set("*?"))


def _in_network(value: str, wanted: str) -> bool:
    return ip_address(value) in ip_network(wanted, strict=False)


def _time(text: str) -> datetime:
    if text.isdigit():
        return datetime.fromtimestamp(int(text), timezone.utc)
    found = instant(text)
    if found is None:
        raise ValueError(f"'{text}' names no time")
    return found


_COMPARE: Mapping[str, Callable[[str, str], bool]] = {
    "stringequals": lambda value, wanted: value == wanted,
    "stringequalsignorecase": lambda value, wanted: value.lower() == wanted.lower(),
    "stringlike": lambda value, wanted: matches_exactly(wanted, value),
    "arnequals": _arn,
    "arnlike": _arn,
    "bool": lambda value, wanted: value.lower() == wanted.lower(),
    "binaryequals": lambda value, wanted: value == wanted,
    "ipaddress": _in_network,
    "numericequals": lambda value, wanted: float(value) == float(wanted),
    "numericlessthan": lambda value, wanted: float(value) < float(wanted),
    "numericlessthanequals": lambda value, wanted: float(value) <= float(wanted),
    "numericgreaterthan": lambda value, wanted: float(value) > float(wanted),
    "numericgreaterthanequals": lambda value, wanted: float(value) >= float(wanted),
    "dateequals": lambda value, wanted: _time(value) == _time(wanted),
    "datelessthan": lambda value, wanted: _time(value) < _time(wanted),
    "datelessthanequals": lambda value, wanted: _time(value) <= _time(wanted),
    "dategreaterthan": lambda value, wanted: _time(value) > _time(wanted),
    "dategreaterthanequals": lambda value, wanted: _time(value) >= _time(wanted),
}

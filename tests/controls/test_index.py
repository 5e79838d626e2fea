"""The index is the registry, as far as a wake and a sweep need it; and it imports nothing that they do not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.baseline.rules import Baseline, Rule
from plumbline.controls import index, registry
from plumbline.controls.index import Entry, Index, IndexMismatch, IndexMissing
from plumbline.core.control import On
from plumbline.sweep.units import units
from plumbline.wakes import messages
from tests import eventbridge
from tests.recorded import Recorded, records

LAYER = Path(__file__).parents[2] / "layers" / "plumbline"
RECORDS = [pytest.param(one, id=str(one)) for one in records()]
ACCOUNT, HOME = "111122223333", "us-east-1"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index as the build writes it, by the build's own command."""
    path = tmp_path_factory.mktemp("layer") / "index.json"
    done = subprocess.run(
        [sys.executable, "-m", "plumbline.controls.registry", str(path)],
        cwd=LAYER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    return path


def _baseline() -> Baseline:
    return Baseline({one.id: Rule(one.response, one.clocks, {}) for one in registry.load().values()})


def _said(on: On) -> tuple[object, ...]:
    """What a wake says of itself: all but where to look."""
    return (on.source, on.names, on.detail_type, on.match, on.reads_too, on.failed_too)


def test_the_index_is_the_registry(written: Path) -> None:
    read = index.load(written)
    assert registry.index().to_json() == read.to_json()
    assert list(registry.load().items()) == [(name, read[name]) for name in read]
    for name, control in registry.load().items():
        assert Entry.of(control, registry.modules()[name]).family == read.entries[name].family
        assert [_said(on) for on in control.wakes_on] == [_said(on) for on in read.entries[name].wakes_on]


@pytest.mark.parametrize("record", RECORDS)
def test_an_event_wakes_the_same_by_the_index_as_by_asking_every_control(written: Path, record: Recorded) -> None:
    read, body = index.load(written), json.dumps(record.event())
    assert messages.read(body, registry.load()) == messages.read(body, read, read.concerned)


@pytest.mark.parametrize("record", RECORDS)
def test_an_event_concerns_few(written: Path, record: Recorded) -> None:
    """Every control that it wakes, and none that hears of other events."""
    concerned = set(index.load(written).concerned(record.event()))
    woken = {wake.control for wake in messages.from_event(record.event(), registry.load())}
    assert woken <= concerned
    assert {one.id for one in registry.load().values() if any(on in one.wakes_on for on in record.ons())} <= concerned


def test_the_sweep_is_cut_by_the_index_as_by_the_registry(written: Path) -> None:
    cut = [units(ACCOUNT, HOME, one.entries, _baseline()) for one in (registry.index(), index.load(written))]
    assert cut[0] == cut[1]
    swept = {name for unit in cut[0] for name in unit.controls}
    assert {one.id for one in registry.load().values() if one.witness is None} == swept


def test_the_families_of_a_unit_stand_together(written: Path) -> None:
    read = index.load(written)
    for unit in units(ACCOUNT, HOME, read.entries, _baseline()):
        families = [read.entries[name].family for name in unit.controls]
        seen = list(dict.fromkeys(families))
        assert families == sorted(families, key=seen.index), unit


_WAKE = """
import json, sys
from pathlib import Path
from plumbline.controls import index
from plumbline.wakes import messages
read = index.load(Path(sys.argv[1]))
before = {name for name in sys.modules if name.startswith("plumbline.controls.")}
found = messages.read(sys.stdin.read(), read, read.concerned)
after = {name for name in sys.modules if name.startswith("plumbline.controls.")}
print(json.dumps([sorted(before), sorted(after - before), sorted({wake.control for wake in found})]))
"""


def _wake(written: Path, event: Mapping[str, Any]) -> list[list[str]]:
    """The control modules that are there before a wake, those that it imports, and the controls it wakes."""
    done = subprocess.run(
        [sys.executable, "-c", _WAKE, str(written)],
        cwd=LAYER,
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[list[str]] = json.loads(done.stdout)
    return found


def _is_alone(record: Recorded) -> bool:
    """Whether an event wakes one control."""
    return {record.control} == {wake.control for wake in messages.from_event(record.event(), registry.load())}


@pytest.mark.parametrize("control", ["iam-access-key-created", "account-password-policy", "root-activity"])
def test_a_wake_imports_its_own_control_and_what_that_one_needs(written: Path, control: str) -> None:
    """A family's package, the control, its family's helpers: no other control, whatever else the layer holds."""
    record = next(one for one in records() if one.control == control and _is_alone(one))
    before, imported, woken = _wake(written, record.event())
    assert ["plumbline.controls.index"] == before
    assert [control] == woken
    held = set(registry.modules().values())
    assert {registry.modules()[control]} == held & set(imported)


def test_a_layer_without_an_index_says_so(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match=r"the layer was built without index\.json; run `sam build`"):
        index.load(tmp_path / "index.json")
    broken = tmp_path / "broken.json"
    for text in ("", "[]", '{"iam-groups": {}}', '{"iam-groups": {"module": "x", "severity": "dire"}}'):
        broken.write_text(text)
        with pytest.raises(IndexMissing, match="the index of the controls cannot be read"):
            index.load(broken)


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("plumbline.controls.iam.gone", "which the layer does not hold"),
        ("plumbline.controls.iam._principals", "which the layer does not hold"),
        ("plumbline.controls.s3.s3_public_acl", "which holds s3-public-acl"),
    ],
)
def test_an_index_that_does_not_fit_the_layer_names_the_control(module: str, why: str) -> None:
    entry = Entry.of(registry.load()["iam-groups"], module)
    with pytest.raises(IndexMismatch, match=f"names the control iam-groups in {module}, {why}.*run `sam build`"):
        Index({"iam-groups": entry})["iam-groups"]


def test_what_no_control_is_called_is_no_control() -> None:
    assert registry.index().get("gone") is None
    assert "gone" not in registry.index()


_TEXTS = st.sampled_from(["Root", "IAMUser", "", "AwsServiceEvent", "signin.amazonaws.com"])
_FIELDS = st.sampled_from(["type", "invokedBy", "awsRegion"])
_ALTERNATIVES = st.lists(
    st.one_of(
        _TEXTS,
        st.booleans().map(lambda there: {"exists": there}),
        _TEXTS.map(lambda text: {"anything-but": text}),
    ),
    min_size=1,
    max_size=3,
)
_PATTERNS = st.dictionaries(_FIELDS, _ALTERNATIVES, min_size=1, max_size=3)


@given(
    outer=_PATTERNS,
    inner=st.one_of(st.none(), _PATTERNS),
    detail=st.dictionaries(_FIELDS, _TEXTS),
    identity=st.one_of(st.none(), st.dictionaries(_FIELDS, _TEXTS)),
)
def test_a_pattern_is_judged_as_eventbridge_judges_it(
    outer: dict[str, Any], inner: dict[str, Any] | None, detail: dict[str, Any], identity: dict[str, str] | None
) -> None:
    """Held against an independent matcher, over all that a control's `match` may say."""
    pattern = outer if inner is None else {**outer, "userIdentity": inner}
    event = detail if identity is None else {**detail, "userIdentity": identity}
    expected = eventbridge.matches({"detail": pattern}, {"detail": event})
    assert expected == messages.matches(pattern, event)

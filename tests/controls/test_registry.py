"""What the registry refuses: files that hold another control than they promise, ids that could mean two."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from plumbline import controls
from plumbline.controls import registry
from plumbline.controls.registry import AmbiguousControl, MisnamedControl, check_aliases
from tests.fakes import CONTROL

LAMPS = """
from dataclasses import replace
from tests.fakes import CONTROL as LAMP
CONTROL = replace(LAMP, id={id!r}{more})
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of families beside the real ones; whatever is imported of it is forgotten afterwards."""
    registry.load()  # the real ones stay as they are
    before = set(sys.modules)
    monkeypatch.setattr(controls, "__path__", [*controls.__path__, str(tmp_path)])
    _forget(before)
    yield tmp_path
    monkeypatch.undo()
    _forget(before)


def _forget(before: set[str]) -> None:
    for name in set(sys.modules) - before:
        if name.startswith(f"{controls.__name__}."):
            del sys.modules[name]
    for cached in (registry.modules, registry.load, registry.index):
        cached.cache_clear()


def _write(house: Path, family: str, name: str, text: str) -> None:
    folder = house / family
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").write_text("")
    (folder / f"{name}.py").write_text(text)


def test_what_stands_in_a_family_is_a_control(house: Path) -> None:
    _write(house, "lamps", "lamp_off", LAMPS.format(id="lamp-off", more=', aliases=("lamp-out",)'))
    _write(house, "lamps", "_bulbs", "")
    assert "lamps" == registry.family("lamp-off")
    assert ("lamp-out",) == registry.load()["lamp-off"].aliases
    assert {"lamp-out": "lamp-off"} == registry.index().renamed


@pytest.mark.parametrize("text", ["", "CONTROL = 7\n", LAMPS.format(id="lamp-dark", more="")])
def test_a_file_that_does_not_hold_its_control_is_named(house: Path, text: str) -> None:
    _write(house, "lamps", "lamp_off", text)
    with pytest.raises(
        MisnamedControl, match=r"^plumbline/controls/lamps/lamp_off\.py must define CONTROL with id 'lamp-o"
    ):
        registry.load()


def test_two_families_with_one_control_are_named(house: Path) -> None:
    for family in ("lamps", "lights"):
        _write(house, family, "lamp_off", LAMPS.format(id="lamp-off", more=""))
    with pytest.raises(MisnamedControl, match=r"lights\.lamp_off and .*lamps\.lamp_off hold the same control"):
        registry.load()


def test_an_earlier_id_that_is_used_twice_stops_whoever_loads_the_registry(house: Path) -> None:
    _write(house, "lamps", "lamp_off", LAMPS.format(id="lamp-off", more=', aliases=("iam-groups",)'))
    with pytest.raises(AmbiguousControl) as caught:
        registry.load()
    assert "lamp-off names iam-groups as its earlier id, which is another control's today" == str(caught.value)


def test_it_stops_the_build_with_that_line(house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(house, "lamps", "lamp_off", LAMPS.format(id="lamp-off", more=', aliases=("out", "out")'))
    assert 1 == registry.main([str(tmp_path / "index.json")])
    assert "lamp-off names its earlier id out twice; keep one\n" == capsys.readouterr().err
    assert not (tmp_path / "index.json").exists()


@pytest.mark.parametrize(
    ("lamp", "bell", "said"),
    [
        (("out",), ("out",), "lamp-off and bell-off both name out as their earlier id"),
        (("out", "dark", "out"), (), "lamp-off names its earlier id out twice; keep one"),
        ((), ("lamp-off",), "bell-off names lamp-off as its earlier id, which is another control's today"),
        (("lamp-off",), (), "lamp-off names its own id as an earlier one; remove it from its aliases"),
    ],
)
def test_every_id_means_one_control(lamp: tuple[str, ...], bell: tuple[str, ...], said: str) -> None:
    with pytest.raises(AmbiguousControl) as caught:
        check_aliases([replace(CONTROL, aliases=lamp), replace(CONTROL, id="bell-off", aliases=bell)])
    assert said == str(caught.value)


def test_a_control_may_have_had_several_ids() -> None:
    check_aliases([replace(CONTROL, aliases=("out", "dark")), replace(CONTROL, id="bell-off", aliases=("mute",))])


def test_the_registry_is_as_it_was() -> None:
    """The controls made up here are gone again."""
    assert "lamp-off" not in registry.load()

"""How the house is built: imports point one way, nothing outlives an event, nobody reads a clock."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYER = ROOT / "layers" / "plumbline"
PACKAGE = LAYER / "plumbline"
FUNCTIONS = sorted(path for path in (ROOT / "functions").glob("*/app.py") if path.parent.name != "names")
#: Answers CloudFormation before there is a layer, so it is the one function that stands alone.
NAMES = sorted((ROOT / "functions" / "names").glob("*.py"))
MODULES = {
    ".".join(path.relative_to(LAYER).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
CONTROLS = [name for name in MODULES if name.startswith("plumbline.controls.") and name.count(".") > 2]
#: Lines of a file of the package.
LONGEST = 350
STANDARD = sys.stdlib_module_names
#: The third-party packages that the functions may meet in AWS.
IN_AWS = {"boto3", "botocore", "aws_lambda_powertools"}
#: What makes a value that can change.
_CHANGING = {
    "list",
    "dict",
    "set",
    "bytearray",
    "defaultdict",
    "deque",
    "Counter",
    "OrderedDict",
    "count",
    "cycle",
    "iter",
}
_CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter", "sleep"}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _imported(path: Path) -> set[str]:
    """Every module a file imports, anywhere in it: below TYPE_CHECKING and inside functions as well."""
    return set(_imports(_tree(path)))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            name = node.module or ""
            yield from {f"{name}.{one.name}" if f"{name}.{one.name}" in MODULES else name for one in node.names}


def _foreign(path: Path) -> set[str]:
    """The imported packages that are neither Python's own nor ours."""
    return {name.split(".")[0] for name in _imported(path)} - STANDARD - {"plumbline"}


def _ours(path: Path) -> set[str]:
    return {name for name in _imported(path) if name.split(".")[0] == "plumbline"}


def _reachable(start: set[str]) -> set[str]:
    """Every module of ours that is loaded, sooner or later, when these are."""
    seen: set[str] = set()
    left = set(start)
    while left:
        name = left.pop()
        if name in MODULES and name not in seen:
            seen.add(name)
            left |= _ours(MODULES[name])
    return seen


def _room(name: str) -> str:
    """The room a module stands in: the first name below the package."""
    return name.split(".")[1] if "." in name else ""


def _arrows() -> dict[str, set[str]]:
    """Which rooms each room imports, wherever in its files the import stands."""
    arrows: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        if _room(name):
            arrows.setdefault(_room(name), set()).update(_room(one) for one in _ours(path))
    return {room: found - {room, ""} for room, found in arrows.items()}


def _in_order(graph: Mapping[str, set[str]]) -> list[str]:
    """The nodes of a graph, each before all that it points to; what stands in a circle, or above one, is left out."""
    left, order = {node: set(found) & set(graph) for node, found in graph.items()}, list[str]()
    while loose := sorted(node for node, found in left.items() if not found & set(left)):
        order = loose + order
        left = {node: found for node, found in left.items() if node not in loose}
    return order


def test_the_rooms_have_an_order() -> None:
    arrows = _arrows()
    assert sorted(arrows) == sorted(_in_order(arrows)), "these rooms need each other in a circle, or stand above one"


def test_every_import_points_to_a_room_below_it() -> None:
    """The order is the one that DESIGN.md draws, from the top of the house to its ground."""
    drawn = re.search(r"```\nplumbline/\n(.*?)```", (ROOT / "DESIGN.md").read_text(), re.DOTALL)
    assert drawn
    order = re.findall(r"(?m)^  (\w+)(?:/|\.py) ", drawn[1])
    assert sorted(_arrows()) == sorted(order), "DESIGN.md draws every room, and no other"
    below = {room: set(order[place + 1 :]) for place, room in enumerate(order)}
    up = [
        f"{name} imports {one}"
        for name, path in MODULES.items()
        for one in sorted(_ours(path))
        if _room(name) and _room(one) not in ({_room(name), ""} | below[_room(name)])
    ]
    assert [] == up


def test_no_files_need_each_other() -> None:
    """Wherever the import stands: below TYPE_CHECKING and inside functions as well."""
    graph = {name: {one for one in _ours(path) if one in MODULES} - {name} for name, path in MODULES.items()}
    assert [] == sorted(set(graph) - set(_in_order(graph)))


@pytest.mark.parametrize("name", MODULES)
def test_no_file_is_too_long_to_read(name: str) -> None:
    assert len(MODULES[name].read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("name", [one for one in MODULES if _room(one) == "core"])
def test_the_nouns_know_nothing_but_python(name: str) -> None:
    assert set() == _foreign(MODULES[name])


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_knows_the_nouns_and_pure_helpers_only(name: str) -> None:
    helpers = {"core", "wakes", "rights"}
    strangers = {one for one in _ours(MODULES[name]) if _room(one) not in helpers and not _is_helper(one)}
    assert (set(), set()) == (strangers, _foreign(MODULES[name]))


def _is_helper(name: str) -> bool:
    """What controls share: a module below controls/ whose name begins with an underscore."""
    return _room(name) == "controls" and name.rpartition(".")[2].startswith("_")


@pytest.mark.parametrize("name", [one for one in MODULES if not one.startswith("plumbline.adapters")])
def test_only_the_adapters_talk_to_aws(name: str) -> None:
    assert set() == _foreign(MODULES[name]) & {"boto3", "botocore"}


#: Who composes, and so may know the adapters.
_COMPOSERS = {"plumbline.compose"}


@pytest.mark.parametrize(
    "name", [one for one in MODULES if not one.startswith("plumbline.adapters") and one not in _COMPOSERS]
)
def test_what_decides_does_not_know_how_it_is_done(name: str) -> None:
    assert [] == sorted(one for one in _ours(MODULES[name]) if one.startswith("plumbline.adapters"))


def test_what_names_the_stack_needs_neither_layer_nor_package() -> None:
    foreign = set().union(*map(_foreign, NAMES)) - {path.stem for path in NAMES}
    assert ({"boto3", "botocore"}, set()) == (foreign, set().union(*map(_ours, NAMES)))


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.parent.name)
def test_a_function_composes_and_decides_nothing(path: Path) -> None:
    assert _foreign(path) <= {"aws_lambda_powertools"}
    branches = [
        node for node in ast.walk(_tree(path)) if isinstance(node, ast.If | ast.For | ast.While | ast.Try | ast.IfExp)
    ]
    assert len(branches) <= 1, "the schedule's call or a batch: nothing more is told apart here"


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.parent.name)
def test_a_function_loads_nothing_that_aws_does_not_have(path: Path) -> None:
    loaded = _reachable(_ours(path)) | _reachable({"plumbline.controls.registry"}) | set(CONTROLS)
    foreign = set().union(*(_foreign(MODULES[name]) for name in loaded))
    assert foreign <= IN_AWS
    assert "plumbline.baseline.compiler" not in loaded, "the baseline is compiled during the build"


@pytest.mark.parametrize("name", MODULES)
def test_nobody_reads_a_clock(name: str) -> None:
    """The time is an argument. Only the functions, and the compiler on a person's machine, have a clock."""
    calls = [node for node in ast.walk(_tree(MODULES[name])) if isinstance(node, ast.Call)]
    read = {ast.unparse(node) for node in calls if isinstance(node.func, ast.Attribute) and _reads_a_clock(node.func)}
    assert set() == read if name != "plumbline.baseline.compiler" else read <= {"datetime.now(timezone.utc)"}


def _reads_a_clock(function: ast.Attribute) -> bool:
    clocks = ("datetime", "date", "time", "datetime.datetime", "datetime.date")
    return function.attr in _CLOCKS and ast.unparse(function.value) in clocks


@pytest.mark.parametrize("name", MODULES)
def test_nothing_outlives_an_event(name: str) -> None:
    """A warm Lambda would hand it to the next one: what a module holds is constant, and nobody reaches for `global`."""
    tree = _tree(MODULES[name])
    assert [] == [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Global)]
    held = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    changing = [node for node in held if node.value is not None and not _is_constant(node.value)]
    assert [] == [ast.unparse(node) for node in changing if not _is_kept(node, tree)]


def _is_constant(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        called = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        return called not in _CHANGING
    return not isinstance(value, ast.List | ast.ListComp | ast.DictComp | ast.SetComp | ast.Set | ast.Dict)


def _is_kept(node: ast.Assign | ast.AnnAssign, tree: ast.Module) -> bool:
    """A table written in capitals that nothing in its module changes."""
    names = [ast.unparse(one) for one in (node.targets if isinstance(node, ast.Assign) else [node.target])]
    changing = {
        "append",
        "extend",
        "insert",
        "add",
        "update",
        "setdefault",
        "pop",
        "popitem",
        "clear",
        "remove",
        "discard",
    }
    changed = {
        ast.unparse(one.func.value)
        for one in ast.walk(tree)
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in changing
    }
    changed |= {
        ast.unparse(one.value)
        for one in ast.walk(tree)
        if isinstance(one, ast.Subscript) and not isinstance(one.ctx, ast.Load)
    }
    return all(name.strip("_").isupper() or name[0].isupper() for name in names) and not changed & set(names)

"""Cuts out of botocore what Plumbline uses, for the layer. Run by its Makefile, with any Python that has botocore.

    python sdk_extract.py PACKAGE

Writes PACKAGE/sdk/: the root certificates that AWS's endpoints lead to, and the models of the services and operations
that PACKAGE calls. A cold start otherwise reads 126 certificates and a few megabytes of JSON to use a hundredth of it.
Nothing depends on it: what is missing or does not fit is taken from the runtime's own botocore (adapters/models.py,
adapters/connections.py).
"""

from __future__ import annotations

import ast
import json
import re
import ssl
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore import __version__
from botocore.httpsession import where
from botocore.loaders import Loader

#: Common names, as botocore's bundle has them. Source: Amazon Trust Services, "Repository", which advises all five.
ROOTS = (
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
)
#: Of each service: what a client is made of. Whatever else botocore has (waiters, examples) is found in its own data.
_MODEL, _RULES, _PAGES = "service-2", "endpoint-rule-set-1", "paginators-1"
#: For people, and half of every model.
_PROSE = frozenset({"documentation", "documentationUrl", "examples"})
#: Here botocore asks for the text, though it never shows it.
_READ_WITH_PROSE = frozenset({"clientContextParams"})
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_WORD = re.compile(r"\w+")
#: Letters that a name made from parts must have, so that it does not stand for every operation.
_FEWEST_LETTERS = 6


class NothingToCut(RuntimeError):
    """botocore's own data is not as it was: the build has to be looked at by a person."""


def main() -> None:
    """Write both beside the package's modules."""
    package = Path(sys.argv[1])
    write(package, package / "sdk")


def write(package: Path, folder: Path) -> None:
    """Cut out what a package uses.

    Args:
        package: the folder of its modules.
        folder: where to write; made where it is not.

    Raises:
        NothingToCut: a root certificate is missing, or no call was found.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "roots.pem").write_text(roots(Path(where()).read_text(encoding="utf-8")), encoding="utf-8")
    loader = Loader()
    used = operations(package, loader)
    if not used:
        raise NothingToCut(f"{package} calls no operation that botocore {__version__} knows")
    for service, names in used.items():
        version = loader.determine_latest_version(service, _MODEL)
        target = folder / "data" / service / version
        model = loader.load_service_model(service, _MODEL, version)
        _dump(target / f"{_MODEL}.json", only(model, names))
        _dump(target / f"{_RULES}.json", _without_prose(loader.load_service_model(service, _RULES, version)))
        _dump(target / f"{_PAGES}.json", _pages(loader, service, version, names))
    for name, data in _shared(loader, used):
        _dump(folder / "data" / f"{name}.json", data)
    _dump(folder / "made-from.json", {"botocore": __version__, "operations": used})


def roots(bundle: str) -> str:
    """The certificates of `ROOTS` out of a bundle in PEM.

    Raises:
        NothingToCut: one of them is not in it.
    """
    found: dict[str, str] = {}
    for pem in _PEM.findall(bundle):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=pem)
        subject: Iterable[Any] = context.get_ca_certs()[0]["subject"]
        name = dict(pair for part in subject for pair in part).get("commonName", "")
        if name in ROOTS:
            found[name] = pem
    missing = [name for name in ROOTS if name not in found]
    if missing:
        raise NothingToCut(f"botocore's bundle of certificates lacks {', '.join(missing)}")
    return "".join(f"# {name}\n{found[name]}\n" for name in ROOTS)


def operations(package: Path, loader: Loader) -> dict[str, list[str]]:
    """Every operation that a package names, by service.

    A service is used where its name stands in the code as text, an operation where its name does, or where it fits one
    that is put together (`f"List{spelled}Policies"`). That is sometimes more than is called, and never less.
    """
    words, shapes = _named(package)
    used: dict[str, list[str]] = {}
    for service in sorted(words & set(loader.list_available_services(_MODEL))):
        known: Iterable[str] = loader.load_service_model(service, _MODEL)["operations"]
        found = sorted(one for one in known if one in words or any(shape.fullmatch(one) for shape in shapes))
        if found:
            used[service] = found
    return used


def only(model: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """A service's model with some of its operations and the shapes those need, without what is written for people."""
    operations = model["operations"]
    # the operation by which others find their endpoint is called by botocore itself
    kept = {name: one for name, one in operations.items() if name in set(names) or one.get("endpointoperation")}
    shapes: dict[str, Any] = {}
    wanted = set(_shapes_in(kept))
    while wanted:
        name = wanted.pop()
        shapes[name] = model["shapes"][name]
        wanted |= set(_shapes_in(shapes[name])) - shapes.keys()
    in_order = {name: shape for name, shape in model["shapes"].items() if name in shapes}
    trimmed: dict[str, Any] = _without_prose({**model, "operations": kept, "shapes": in_order})
    return trimmed


def _named(package: Path) -> tuple[set[str], list[re.Pattern[str]]]:
    words: set[str] = set()
    shapes: set[str] = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                shapes.update(_shape(node))
    return words, [re.compile(one) for one in sorted(shapes)]


def _shape(node: ast.JoinedStr) -> Iterator[str]:
    """The pattern of a name with holes; nothing where it can be no operation's."""
    parts = [str(part.value) if isinstance(part, ast.Constant) else r"\w+" for part in node.values]
    letters = "".join(part for part in parts if part != r"\w+")
    if _WORD.fullmatch(letters) and len(letters) >= _FEWEST_LETTERS:
        yield "".join(parts)


def _shapes_in(part: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(part, Mapping):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        for one in part.values():
            yield from _shapes_in(one)
    elif isinstance(part, list):
        for one in part:
            yield from _shapes_in(one)


def _without_prose(part: Any) -> Any:  # noqa: ANN401 - JSON
    """JSON without texts for people; a member that happens to be called `documentation` is a mapping, and stays."""
    if isinstance(part, Mapping):
        return {
            name: one if name in _READ_WITH_PROSE else _without_prose(one)
            for name, one in part.items()
            if name not in _PROSE or (isinstance(one, Mapping) and "shape" in one)
        }
    return [_without_prose(one) for one in part] if isinstance(part, list) else part


def _pages(loader: Loader, service: str, version: str, names: Iterable[str]) -> dict[str, Any]:
    pages = loader.load_service_model(service, _PAGES, version)
    return {**pages, "pagination": {name: one for name, one in pages["pagination"].items() if name in set(names)}}


def _shared(loader: Loader, services: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """What botocore reads for every client: small, but for the endpoints of services nobody asks."""
    for name in ("partitions", "sdk-default-configuration", "_retry"):
        yield name, loader.load_data(name)
    endpoints = loader.load_data("endpoints")
    prefixes = {loader.load_service_model(one, _MODEL)["metadata"]["endpointPrefix"] for one in services}
    partitions = [
        {**one, "services": {name: known for name, known in one["services"].items() if name in prefixes}}
        for one in endpoints["partitions"]
    ]
    yield "endpoints", {**endpoints, "partitions": partitions}


def _dump(path: Path, value: Any) -> None:  # noqa: ANN401 - JSON
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    main()

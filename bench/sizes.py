"""How large what is uploaded is."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

LAYER = "PlumblineLayer"


@dataclass(frozen=True, slots=True)
class Size:
    """One archive, in bytes.

    Attributes:
        zipped: the archive.
        byte_code: how much of it is byte code.
        unzipped: its files.
    """

    name: str
    zipped: int
    byte_code: int
    unzipped: int


def of_folder(name: str, folder: Path) -> Size:
    """A folder's size once zipped as `sam deploy` zips it: deflated, every file."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return _of(name, package)


def of_archive(name: str, archive: Path) -> Size:
    """An archive's size."""
    return _of(name, io.BytesIO(archive.read_bytes()))


def of_build(built: Path) -> list[Size]:
    """Everything `sam build` left to be uploaded, the layer first."""
    folders = sorted((one for one in built.iterdir() if one.is_dir()), key=lambda one: (one.name != LAYER, one.name))
    return [of_folder(one.name, one) for one in folders]


def _of(name: str, package: io.BytesIO) -> Size:
    with zipfile.ZipFile(package) as archive:
        entries = archive.infolist()
    return Size(
        name,
        zipped=package.getbuffer().nbytes,
        byte_code=sum(one.compress_size for one in entries if one.filename.endswith(".pyc")),
        unzipped=sum(one.file_size for one in entries),
    )

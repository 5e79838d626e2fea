"""A layer is unpacked once, however many processes run with it.

Stock: each process of a function unpacks every layer anew, which takes longer than all else of a cold start here.
AWS: a layer lies below /opt, which functions cannot write to, so that it is the same for all.

Source: AWS Lambda developer guide, "Adding layers to functions".
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
import types
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime

_lock = threading.Lock()


class Unpacked(zipfile.ZipFile):
    """An archive that is unpacked into a folder that all share, if it is a layer's; the function's own is small."""

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:  # noqa: ANN401
        """Put a link where a layer is expected."""
        folder = Path(path)
        if not _is_layer(folder):
            super().extractall(path, members, pwd)
            return
        folder.rmdir()
        folder.symlink_to(self._kept(), target_is_directory=True)

    def namelist(self) -> list[str]:
        """What has to be looked at before it is unpacked: nothing of what is there already."""
        names: Sequence[str] = () if self._place().exists() else super().namelist()
        return list(names)

    def _kept(self) -> Path:
        place = self._place()
        with _lock:
            if not place.exists():
                place.parent.mkdir(exist_ok=True)
                half = Path(tempfile.mkdtemp(dir=place.parent))
                super().extractall(half)
                half.rename(place)
        return place

    def _place(self) -> Path:
        digest = hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()
        return Path(tempfile.gettempdir(), "ministack-layers", digest)


def _is_layer(folder: Path) -> bool:
    return folder.name.startswith("layer_")


def install() -> None:
    """Let processes of functions share their layers."""
    lambda_runtime.zipfile = types.SimpleNamespace(**{**vars(zipfile), "ZipFile": Unpacked})

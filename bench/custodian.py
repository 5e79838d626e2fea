"""Cloud Custodian as the peer: a policy for the same job, packed by Custodian itself."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.processes import NotMeasured
from local.embedded import ROOT

PYTHON = ROOT / ".venv" / "bench" / "bin" / "python"
_PACK = Path(__file__).with_name("cold") / "pack_custodian.py"
#: The nearest Custodian comes to iam-access-key-created: it disables every active key of the user that got one.
POLICY: dict[str, Any] = {
    "name": "access-keys",
    "resource": "aws.iam-user",
    "mode": {
        "type": "cloudtrail",
        "role": "arn:aws:iam::111122223333:role/custodian",
        "events": [
            {
                "source": "iam.amazonaws.com",
                "event": "CreateAccessKey",
                "ids": "responseElements.accessKey.userName",
            }
        ],
    },
    "filters": [{"type": "access-key", "key": "Status", "value": "Active"}],
    "actions": [{"type": "remove-keys", "disable": True, "matched": True}],
}


@dataclass(frozen=True, slots=True)
class Packed:
    """The policy, ready to run.

    Attributes:
        archive: what Custodian would upload.
        as_deployed: its files; Custodian ships no byte code, so that Lambda compiles it at every cold start.
        compiled: the same with byte code, which nobody gets from Custodian but which compares like with like.
    """

    archive: Path
    as_deployed: Path
    compiled: Path


def version() -> str:
    """Custodian's version."""
    (site,) = (PYTHON.parent.parent / "lib").glob("python*/site-packages")
    return next(one.version for one in metadata.distributions(path=[str(site)]) if one.name == "c7n")


def pack(folder: Path, lambda_python: Path) -> Packed:
    """Pack the policy into `folder`, with byte code for `lambda_python` in one of two copies.

    Raises:
        NotMeasured: Custodian could not pack it.
    """
    folder.mkdir()
    policy = folder / "policy.json"
    policy.write_text(json.dumps(POLICY))
    _run([PYTHON, _PACK, policy, folder])
    packed = Packed(folder / "custodian.zip", folder / "as_deployed", folder / "compiled")
    for target in (packed.as_deployed, packed.compiled):
        with zipfile.ZipFile(packed.archive) as archive:
            archive.extractall(target)
    compile_all: list[str | Path] = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", packed.compiled]
    _run([lambda_python, *compile_all])
    return packed


def _run(command: Sequence[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMeasured(f"{' '.join(map(str, command))} failed:\n{done.stderr[-2000:]}")

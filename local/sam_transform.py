"""The AWS::Serverless transform, run by the translator that the SAM CLI ships, in the SAM CLI's own environment.

The emulator imports `samtranslator`; installing it there would pull boto3 and pydantic beside ministack's exact pins,
and could expand a template otherwise than `sam validate` does. So its import finds `install`'s stand-in instead.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

_TIMEOUT = 60.0

# Runs in the SAM CLI's environment; a template comes in, the expanded one goes out.
_PROGRAM = """
import json, logging, sys
logging.disable(logging.WARNING)
from types import SimpleNamespace
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
given = json.load(sys.stdin)
try:
    answer = {"template": transform(given, {}, SimpleNamespace(load=dict))}
except InvalidDocumentException as error:
    answer = {"error": "; ".join([error.message, *(cause.message for cause in error.causes)])}
json.dump(answer, sys.stdout)
"""


class TransformFailed(ValueError):
    """The translator refused a template; CloudFormation answers with the message."""


def install(sam_python: Path) -> None:
    """Let the emulator's `from samtranslator.translator.transform import transform` find this."""

    def transform(template: Mapping[str, Any], _parameters: object, _policies: object) -> dict[str, Any]:
        # Keys keep their order: SAM derives logical ids from the order in which it meets things.
        expanded: dict[str, Any] = json.loads(_expand(str(sam_python), json.dumps(template, default=str), _region()))
        return expanded

    stand_in = ModuleType("samtranslator.translator.transform")
    stand_in.transform = transform  # type: ignore[attr-defined]
    for name in ("samtranslator", "samtranslator.translator"):
        sys.modules[name] = ModuleType(name)
    sys.modules[stand_in.__name__] = stand_in


def _region() -> str:
    from ministack.core.responses import get_region

    return str(get_region())


@lru_cache(maxsize=8)
def _expand(sam_python: str, template: str, region: str) -> str:
    ran = subprocess.run(
        [sam_python, "-c", _PROGRAM],
        input=template,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
        env={"PATH": "/usr/bin:/bin", "AWS_DEFAULT_REGION": region},
    )
    if ran.returncode:
        message = f"the SAM translator of {sam_python} failed: {ran.stderr.strip()[-2000:]}"
        raise TransformFailed(message)
    answer = json.loads(ran.stdout)
    if "error" in answer:
        raise TransformFailed(answer["error"])
    return json.dumps(answer["template"])

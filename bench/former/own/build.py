"""Compiles version 0.1's baseline, as its own build did, and says how a first sweep under it is marked.

build BASELINE TO    writes the compiled baseline; prints {control: what the ledger keeps of its first sweep}
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Compile, and print."""
    source, to = map(Path, sys.argv[1:3])
    compiled = import_module("plumbline.compile").compile_file(source, today=datetime.now(UTC).date())
    to.write_text(json.dumps(compiled))
    adoption = import_module("plumbline.adoption")
    rules = import_module("plumbline.baseline").Baseline.from_json(compiled).rules
    marks = {name: adoption.Adoption(adoption.mark(rule)).to_json() for name, rule in rules.items()}
    sys.stdout.write(json.dumps(marks) + "\n")


if __name__ == "__main__":
    main()

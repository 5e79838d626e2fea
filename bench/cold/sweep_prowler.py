"""A run of Prowler's own command, which finds AWS's names where the bench serves them.

    sweep_prowler FOLDER CHECK...

Its findings are left in FOLDER/found.csv.
"""

from __future__ import annotations

import sys

from bench.cold import peak, resolver

_REGION = "us-east-1"


def main() -> None:
    """Let it run; it ends the process itself."""
    folder, *checks = sys.argv[1:]
    resolver.install()
    peak.install()
    from prowler.__main__ import prowler

    into = ["--output-directory", folder, "--output-filename", "found", "--output-formats", "csv"]
    sys.argv = [
        "prowler",
        "aws",
        "--checks",
        *checks,
        "--region",
        _REGION,
        *into,
        "--ignore-exit-code-3",
        "--no-banner",
    ]
    sys.exit(prowler())


if __name__ == "__main__":
    main()

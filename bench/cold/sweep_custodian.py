"""A run of Cloud Custodian's own command, which finds AWS's names where the bench serves them.

    sweep_custodian FOLDER POLICIES.json

What each policy found is left in FOLDER/NAME/resources.json. Its cache is on, in memory: a kind of resource that
several policies are about is listed once.
"""

from __future__ import annotations

import sys

from bench.cold import peak, resolver

_REGION = "us-east-1"


def main() -> None:
    """Let it run; it ends the process itself."""
    folder, policies = sys.argv[1:]
    resolver.install()
    peak.install()
    from c7n.cli import main as custodian

    sys.argv = ["custodian", "run", "--cache", "memory", "--region", _REGION, "--output-dir", folder, policies]
    custodian()


if __name__ == "__main__":
    main()

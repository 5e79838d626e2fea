"""Pack a Cloud Custodian policy exactly as Custodian itself does when it deploys one. Runs in Custodian's environment.

    python pack_custodian.py POLICY.json FOLDER

Leaves the archive in FOLDER/custodian.zip; nothing is sent anywhere.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from c7n import mu
from c7n.config import Config
from c7n.policy import PolicyCollection
from c7n.resources import load_resources


def main() -> None:
    """Check the policy as Custodian does, and pack it."""
    policy, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    load_resources((policy["resource"],))
    options = Config.empty(region="us-east-1", output_dir=str(folder))
    (checked,) = PolicyCollection.from_data({"policies": [policy]}, options)
    checked.validate()
    archive = mu.PolicyLambda(checked).get_archive()  # its file goes when it goes
    shutil.copy(archive.path, folder / "custodian.zip")


if __name__ == "__main__":
    main()

"""The embedded account's own evaluation of policies, for tests to compare with: JSON lines in, JSON lines out.

Run by the emulator's Python, which has no hypothesis; the tests' Python has no emulator.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from ministack.core import iam_evaluator

from local import policy_variables

policy_variables.install()
for line in sys.stdin:
    asked = json.loads(line)
    documents = [iam_evaluator.parse_policy_document(json.dumps(one)) for one in asked["documents"]]
    boundary = [[iam_evaluator.parse_policy_document(json.dumps(one))] for one in asked["boundary"]]
    context = iam_evaluator.EvalContext(
        principal_arn=asked["arn"],
        principal_type="User",
        principal_account=asked["account"],
        action=asked["action"],
        resource_arn=asked["resource"],
        region="eu-west-1",
        service_context=asked["context"],
        principal_keys=asked["keys"],
    )
    answer = iam_evaluator.evaluate(context, documents, *boundary)
    sys.stdout.write(json.dumps(answer.decision) + "\n")
    sys.stdout.flush()

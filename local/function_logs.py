"""Where a function's logs go, which the emulator decides without asking its role.

Stock, a log group that is missing is made for each invocation. On AWS the function's role makes it, so what ends after
its log group, its role or the whole stack was deleted leaves nothing behind.

Source: AWS Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs": the role needs
`logs:CreateLogGroup` for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.core.iam_evaluator import EvalContext, _gather_role_policies, evaluate
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch_logs, lambda_svc


def install() -> None:
    """Write logs where their group is, or where the function's role may make it."""
    emit = lambda_svc._emit_lambda_logs

    def emit_where_it_may(function: Mapping[str, Any], *said: Any, **more: Any) -> None:  # noqa: ANN401
        config = function.get("config") or function
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config.get('FunctionName', '')}"
        if group in cloudwatch_logs._log_groups or _may_make(config.get("Role", ""), group):
            emit(function, *said, **more)

    lambda_svc._emit_lambda_logs = emit_where_it_may


def _may_make(role: str, group: str) -> bool:
    account, region = get_account_id(), get_region()
    context = EvalContext(
        principal_arn=role,
        principal_type="AssumedRole",
        principal_account=account,
        action="logs:CreateLogGroup",
        resource_arn=f"arn:aws:logs:{region}:{account}:log-group:{group}",
        region=region,
        service_context={},
    )
    return bool(evaluate(context, _gather_role_policies(role.rpartition("/")[2], account)).decision == "Allow")

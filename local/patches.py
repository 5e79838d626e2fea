"""The private names of ministack that are replaced, with the reason. Written against one version only.

`apply` is called once, before the first request. Each `_patch_*` replaces one behaviour and says what AWS does
instead. Larger ones have a file, which says so as well.
"""

from __future__ import annotations

import asyncio
import functools
import json
import subprocess
import threading
import types
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.core.responses import get_account_id
from ministack.services import dynamodb, iam

from local import (
    authorization,
    buses,
    cfn_types,
    constraints,
    deliveries,
    from_moto,
    function_logs,
    iam_details,
    iam_rules,
    layers,
    mailbox,
    passed_roles,
    policy_variables,
    principals,
    regions,
    root_user,
    s3_details,
    sam_transform,
    simulation,
    stack_events,
    stack_set_calls,
    stack_set_type,
    stack_sets,
    table_policies,
    trail_details,
)
from local.managed_policies import ManagedPolicies
from local.moto_server import MotoServer
from local.recorder import Check, caller_key, checks_of_request
from local.relay import TrailRelay
from local.wire import s3_control_endpoint

MINISTACK = "1.5.33"

# What a function finds in its environment on AWS, beside its own variables; `_LAMBDA_*` is the emulator's own wiring.
_LAMBDA_ENVIRONMENT = frozenset(
    {
        "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_REGION", "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT", "_LAMBDA_FUNCTION_ARN", "_LAMBDA_LAYERS_DIRS", "_LAMBDA_TIMEOUT",
    }
)  # fmt: skip


class WrongEmulator(RuntimeError):
    """The installed ministack is not the one these patches were written for."""


def check_version() -> None:
    """Refuse to patch any ministack but the pinned one."""
    installed = version("ministack")
    if installed != MINISTACK:
        message = (
            f"ministack {installed} is installed, but the patches in local/ replace private names of {MINISTACK}. "
            f"Run `make setup`, or read local/patches.py against the new version and change MINISTACK there."
        )
        raise WrongEmulator(message)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the patches need to know: where functions reach the emulator, and the environments beside it."""

    account: str
    home: str
    endpoint: str
    lambda_python: Path
    sam_python: Path
    dev_site_packages: Path
    confirm_mail: bool


def apply(settings: Settings, moto: MotoServer, trail: TrailRelay) -> None:
    """Replace what has to be replaced; `moto` answers for the services ministack lacks, `trail` delivers events."""
    check_version()
    _patch_lambda_environment(settings.endpoint, settings.lambda_python)
    layers.install()
    _patch_grammar_is_checked_once()
    function_logs.install()
    deliveries.install()
    _patch_enforcement_is_recorded()
    _patch_loopback_counts_as_tls()
    authorization.install()
    policy_variables.install()
    table_policies.install()
    _patch_condition_keys_of_events()
    _patch_managed_policies(ManagedPolicies(settings.dev_site_packages))
    _patch_iam()
    s3_details.install()
    principals.install()
    trail_details.install()
    regions.install(trail.deliver, settings.account, settings.home)
    constraints.install()
    mailbox.install(confirm=settings.confirm_mail)
    from_moto.install(moto)
    cfn_types.register()
    buses.install()
    stack_events.install(trail.deliver)
    stack_sets.install(trail.deliver)
    stack_set_calls.install()
    stack_set_type.register(asyncio.get_running_loop())
    sam_transform.install(settings.sam_python)


# --- Lambda ---------------------------------------------------------------------------------------


def _patch_lambda_environment(endpoint: str, python: Path) -> None:
    """Stock: a function runs on the emulator's interpreter, sees its packages, and inherits its environment.

    AWS: the runtime's interpreter with boto3 only, and an environment of its own. Without this a dependency missing
    from the layer is found in production.
    """
    runtime_binary = lambda_runtime._detect_runtime_binary
    spawn = lambda_runtime.Worker._spawn
    spawning = threading.local()

    def detect_runtime_binary(runtime: str) -> tuple[str, str]:
        binary, script = runtime_binary(runtime)
        return (str(python) if runtime.startswith("python") else binary), script

    def spawn_in_clean_environment(worker: lambda_runtime.Worker) -> None:
        spawning.config = worker.config
        spawn(worker)

    def popen(command: list[str], **options: Any) -> subprocess.Popen[str]:  # noqa: ANN401
        options["env"] = _lambda_environment(spawning.config, options["env"], endpoint)
        # -s: no site-packages of the user's home.
        return subprocess.Popen([command[0], "-s", *command[1:]], **options)

    lambda_runtime._detect_runtime_binary = detect_runtime_binary
    lambda_runtime.Worker._spawn = spawn_in_clean_environment
    lambda_runtime.subprocess = types.SimpleNamespace(**{**vars(subprocess), "Popen": popen})


def _patch_grammar_is_checked_once() -> None:
    """Stock: the grammar of a DynamoDB expression is checked anew for each item that a query looks at.

    It says the same of the same text each time; that was a tenth of what the emulator did.
    """
    dynamodb._condition_syntax_error = functools.lru_cache(maxsize=1024)(dynamodb._condition_syntax_error)


def _lambda_environment(config: Mapping[str, Any], offered: Mapping[str, str], endpoint: str) -> dict[str, str]:
    own = config.get("Environment", {}).get("Variables", {})
    return {
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
        "_HANDLER": config.get("Handler", ""),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', 'python')}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{config.get('FunctionName', '')}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3_CONTROL": s3_control_endpoint(endpoint),
        **own,
        **{name: value for name, value in offered.items() if name in _LAMBDA_ENVIRONMENT},
    }


# --- IAM ------------------------------------------------------------------------------------------


def _patch_enforcement_is_recorded() -> None:
    """Stock: one resource is asked about, and what was asked is not kept.

    AWS asks about each that a call names. The tests compare what was asked with the permissions that are declared.
    """
    enforce = iam_evaluator.enforce

    @functools.wraps(enforce)
    def enforce_and_record(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        switched_off = regions.refusal(get_account_id(), region, service)
        if switched_off is not None:
            return switched_off
        caller_key.set(access_key_id)
        asked = checks_of_request.get()
        for resource in (str(resource_arn), *getattr(resource_arn, "others", ())):
            denied = enforce(access_key_id, iam_action, service, region, resource, service_context)
            if asked is not None:
                asked.append(Check(iam_action, resource, denied is None))
            if denied is not None:
                if isinstance(resource_arn, authorization.Asked):
                    resource_arn.refused = resource
                return denied
        for role, to in passed_roles.passed.get():
            denied = enforce(access_key_id, "iam:PassRole", "iam", region, role, {"iam:PassedToService": to})
            if asked is not None:
                asked.append(Check("iam:PassRole", role, denied is None))
            if denied is not None:
                passed_roles.refused.set(role)
                return denied
        return None

    iam_evaluator.enforce = enforce_and_record


def _patch_loopback_counts_as_tls() -> None:
    """Stock: plain HTTP, so `aws:SecureTransport` is false and the SAM CLI's own bucket refuses uploads.

    Plain HTTP on loopback stands in for the TLS that every AWS client uses.
    """
    pin_request_origin = app.pin_request_origin
    app.pin_request_origin = lambda address, _secure: pin_request_origin(address, secure_transport=True)


def _patch_condition_keys_of_events() -> None:
    """Stock: PutEvents carries no condition keys. AWS: `events:source` and `events:detail-type` of what is put.

    `events:eventBusInvocation` tells a rule's delivery from a call. Source: Using IAM policy conditions in Amazon
    EventBridge, in its user guide.
    """
    tags = iam_actions.request_tag_context

    @functools.wraps(tags)
    def with_events(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = tags(service, iam_action, body, params)
        if iam_action == "events:PutEvents":
            entries = json.loads(body or b"{}").get("Entries", ())
            for key, name in (("events:source", "Source"), ("events:detail-type", "DetailType")):
                values = sorted({str(one.get(name, "")) for one in entries})
                context[key] = values[0] if len(values) == 1 else values
            context["events:eventBusInvocation"] = "false"
        return context

    iam_actions.request_tag_context = with_events


def _patch_managed_policies(known_to_aws: ManagedPolicies) -> None:
    """Stock: a few dozen AWS managed policies. AWS: about 1,500."""
    lookup_policy = iam._lookup_policy

    def lookup(arn: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = lookup_policy(arn)
        if found is None and iam._is_aws_managed_arn(arn):
            document = known_to_aws.document(arn)
            if document is not None:
                found = iam._make_aws_managed_record(arn.removeprefix(iam._AWS_MANAGED_POLICY_PREFIX), document)
                iam._aws_managed_policies[arn] = found
        return found

    iam._lookup_policy = lookup


def _patch_iam() -> None:
    """Stock: no SetDefaultPolicyVersion, a password policy that merges, thin unpaged details, no key use."""
    update = iam._update_account_password_policy

    def update_account_password_policy(parameters: Mapping[str, list[str]]) -> Any:  # noqa: ANN401
        # AWS resets what the call leaves out to its default.
        iam._account_password_policy["policy"] = {"MinimumPasswordLength": 6}
        return update(parameters)

    handlers = iam._IAM_HANDLERS
    handlers["UpdateAccountPasswordPolicy"] = update_account_password_policy
    handlers["SetDefaultPolicyVersion"] = iam_details.set_default_policy_version
    handlers["GetAccountAuthorizationDetails"] = iam_details.get_account_authorization_details
    handlers["GetAccessKeyLastUsed"] = iam_details.get_access_key_last_used
    handlers["ListSSHPublicKeys"] = iam_details.list_ssh_public_keys
    handlers["ListServiceSpecificCredentials"] = iam_details.list_service_specific_credentials
    handlers["SimulatePrincipalPolicy"] = simulation.simulate_principal_policy
    iam._build_credential_report = iam_details.credential_report
    iam_rules.install()
    root_user.install()

"""Its functions: who runs other code in them has their rights, and who stops them has quiet."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from tests.attacks.attack import (
    STRANGER,
    Attack,
    Attacker,
    Open,
    Prevented,
    Told,
    Way,
    blow,
    document,
    tearing_down,
)
from tests.attacks.attackers import (
    ASSUMER,
    FULL,
    INVOKER,
    LAMBDA,
    OLD_LAMBDA,
    PASSER,
    PERMISSION_SET,
    POWER,
)

_GUARD = Prevented("the guard")
_REACT, _SWEEP, _OPERATE = "<function react>", "<function sweep>", "<function operate>"
_LAMBDA_TRUST = document(
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
)


def _zipped(code: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", code)
    return packed.getvalue()


#: What would hand the rights of whatever runs it to its author.
OTHER_CODE = _zipped(
    "import os\ndef handler(event, context):\n    return {k: v for k, v in os.environ.items() if 'AWS' in k}\n"
)
_OTHER_LAYER = _zipped("# in the place of Plumbline\n")


def _tripwire(event: str) -> Told:
    return Told(Way.TRIPWIRE, (event, "<my-name>"))


def _new_code(who: Attacker) -> Any:
    return blow("lambda", "update_function_code", FunctionName=_REACT, ZipFile=OTHER_CODE)


STORIES = (
    Attack(
        "other code in the function that repairs",
        POWER,
        (_new_code(POWER),),
        _GUARD,
    ),
    Attack(
        "other code in the function that names things",
        POWER,
        (blow("lambda", "update_function_code", FunctionName="<names-function>", ZipFile=OTHER_CODE),),
        _GUARD,
    ),
    Attack(
        "a stranger's layer in the place of Plumbline's own",
        LAMBDA,
        (
            blow(
                "lambda",
                "update_function_configuration",
                FunctionName=_REACT,
                Layers=[f"arn:aws:lambda:us-east-1:{STRANGER}:layer:theirs:1"],
            ),
        ),
        _GUARD,
    ),
    Attack(
        "a newer version of its layer, for the next deployment to find",
        LAMBDA,
        (blow("lambda", "publish_layer_version", LayerName="plumbline", Content={"ZipFile": _OTHER_LAYER}),),
        _GUARD,
    ),
    Attack(
        "its layer opened to a stranger",
        LAMBDA,
        (
            blow(
                "lambda",
                "add_layer_version_permission",
                LayerName="plumbline",
                VersionNumber=1,
                StatementId="stranger",
                Action="lambda:GetLayerVersion",
                Principal=STRANGER,
            ),
        ),
        _GUARD,
    ),
    Attack(
        "observe in its environment, so that nothing is repaired",
        POWER,
        (
            blow(
                "lambda",
                "update_function_configuration",
                FunctionName=_REACT,
                Environment={"Variables": {"PLUMBLINE_MODE": "observe"}},
            ),
        ),
        _GUARD,
    ),
    Attack(
        "another role for its function",
        PASSER,
        (
            blow(
                "lambda",
                "update_function_configuration",
                FunctionName=_SWEEP,
                Role="<role react>",
            ),
        ),
        _GUARD,
    ),
    Attack(
        "one of its roles passed to a function of the attacker's own",
        PASSER,
        (
            blow(
                "lambda",
                "create_function",
                FunctionName="of-paul",
                Runtime="python3.13",
                Role="<role react>",
                Handler="app.handler",
                Code={"ZipFile": OTHER_CODE},
            ),
        ),
        Prevented("the guard, which lets nobody pass Plumbline's roles"),
    ),
    Attack(
        "the hands assumed directly",
        ASSUMER,
        (
            blow("sts", "assume_role", RoleArn="<role hands>", RoleSessionName="iam-admin-grants"),
            blow("sts", "assume_role", RoleArn="<role eyes>", RoleSessionName="sweep"),
            blow("sts", "assume_role", RoleArn="<role react>", RoleSessionName="react"),
        ),
        Prevented("the trust of its roles"),
    ),
    Attack(
        "an administrator's permission set assumed, by one who may assume any role",
        ASSUMER,
        (
            blow(
                "sts",
                "assume_role",
                RoleArn="arn:aws:iam::<account>:role/aws-reserved/sso.amazonaws.com/"
                "AWSReservedSSO_AdministratorAccess_0123456789abcdef",
                RoleSessionName="asta",
            ),
        ),
        Prevented("the trust of Identity Center's roles"),
    ),
    Attack(
        "no concurrency left for repairs",
        POWER,
        (blow("lambda", "put_function_concurrency", FunctionName=_REACT, ReservedConcurrentExecutions=0),),
        _GUARD,
    ),
    Attack(
        "no concurrency left for the sweep",
        LAMBDA,
        (blow("lambda", "put_function_concurrency", FunctionName=_SWEEP, ReservedConcurrentExecutions=0),),
        _GUARD,
    ),
    Attack(
        "the trigger of repairs switched off",
        POWER,
        (blow("lambda", "update_event_source_mapping", UUID="<trigger react>", Enabled=False),),
        _GUARD,
    ),
    Attack(
        "a filter on the trigger, which lets nothing through",
        LAMBDA,
        (
            blow(
                "lambda",
                "update_event_source_mapping",
                UUID="<trigger react>",
                FilterCriteria={"Filters": [{"Pattern": json.dumps({"body": {"never": ["true"]}})}]},
            ),
        ),
        _GUARD,
    ),
    Attack(
        "the trigger of repairs deleted",
        LAMBDA,
        (blow("lambda", "delete_event_source_mapping", UUID="<trigger react>"),),
        _GUARD,
    ),
    Attack(
        "a second reader that takes the wakes away",
        LAMBDA,
        (
            blow(
                "lambda",
                "create_event_source_mapping",
                FunctionName=_SWEEP,
                EventSourceArn="<queue-arn wakes>",
            ),
        ),
        _GUARD,
    ),
    Attack(
        "its function deleted",
        POWER,
        (tearing_down("lambda", "delete_function", FunctionName=_REACT),),
        _GUARD,
    ),
    Attack(
        "the schedule's permission to start the sweep removed",
        LAMBDA,
        (blow("lambda", "remove_permission", FunctionName=_SWEEP, StatementId="<permission sweep>"),),
        _GUARD,
    ),
    Attack(
        "a stranger let in to type commands",
        LAMBDA,
        (
            blow(
                "lambda",
                "add_permission",
                FunctionName=_OPERATE,
                StatementId="stranger",
                Action="lambda:InvokeFunction",
                Principal=STRANGER,
            ),
        ),
        _GUARD,
    ),
    Attack(
        "a URL on the internet for its commands",
        LAMBDA,
        (blow("lambda", "create_function_url_config", FunctionName=_OPERATE, AuthType="NONE"),),
        _GUARD,
    ),
    Attack(
        "an alias and a destination that get copies of what it does",
        LAMBDA,
        (
            blow(
                "lambda",
                "put_function_event_invoke_config",
                FunctionName=_SWEEP,
                MaximumRetryAttempts=0,
                MaximumEventAgeInSeconds=60,
            ),
        ),
        _GUARD,
    ),
    Attack(
        "its loops let run",
        LAMBDA,
        (blow("lambda", "put_function_recursion_config", FunctionName=_REACT, RecursiveLoop="Allow"),),
        _GUARD,
    ),
    Attack(
        "other code, before his guard is agreed to",
        OLD_LAMBDA,
        (_new_code(OLD_LAMBDA),),
        _tripwire("UpdateFunctionCode"),
    ),
    Attack(
        "observe in its environment, before his guard is agreed to",
        OLD_LAMBDA,
        (
            blow(
                "lambda",
                "update_function_configuration",
                FunctionName=_REACT,
                Environment={"Variables": {"PLUMBLINE_MODE": "observe"}},
            ),
        ),
        _tripwire("UpdateFunctionConfiguration"),
    ),
    Attack(
        "the trigger of repairs switched off, before his guard is agreed to",
        OLD_LAMBDA,
        (blow("lambda", "update_event_source_mapping", UUID="<trigger react>", Enabled=False),),
        _tripwire("UpdateEventSourceMapping"),
    ),
    Attack(
        "a filter on the trigger, before his guard is agreed to",
        OLD_LAMBDA,
        (
            blow(
                "lambda",
                "update_event_source_mapping",
                UUID="<trigger react>",
                FilterCriteria={"Filters": [{"Pattern": json.dumps({"body": {"never": ["true"]}})}]},
            ),
        ),
        Told(Way.HOUSE, ("plumbline-react", "settings"), mended=True),
    ),
    Attack(
        "no concurrency for repairs, before his guard is agreed to",
        OLD_LAMBDA,
        (blow("lambda", "put_function_concurrency", FunctionName=_REACT, ReservedConcurrentExecutions=0),),
        Told(Way.HOUSE, ("plumbline-react", "concurrency"), mended=True),
    ),
    Attack(
        "its functions asked to settle what no rule sent",
        INVOKER,
        (
            blow(
                "lambda",
                "invoke",
                FunctionName=_REACT,
                Payload=json.dumps(
                    {
                        "Records": [
                            {
                                "messageId": "m1",
                                "receiptHandle": "r1",
                                "body": json.dumps(
                                    {
                                        "plumbline-wake": {
                                            "control": "*",
                                            "target": "111122223333/global/*/*",
                                            "origin": "adoption",
                                        }
                                    }
                                ),
                                "attributes": {"ApproximateReceiveCount": "1"},
                                "messageAttributes": {},
                                "md5OfBody": "",
                                "eventSource": "aws:sqs",
                                "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:plumbline-wakes",
                                "awsRegion": "us-east-1",
                            }
                        ]
                    }
                ),
            ),
        ),
        _GUARD,
    ),
    Attack(
        "the function that names things made to answer to the attacker",
        INVOKER,
        (
            blow(
                "lambda",
                "invoke",
                FunctionName="<names-function>",
                Payload=json.dumps(
                    {
                        "RequestType": "Delete",
                        "ResponseURL": "http://127.0.0.1:9/stolen",
                        "StackId": "x",
                        "RequestId": "x",
                        "LogicalResourceId": "LedgerProtection",
                        "ResourceType": "Custom::LedgerProtection",
                        "ResourceProperties": {},
                    }
                ),
            ),
        ),
        _GUARD,
    ),
    Attack(
        "other code, by a permission set of Identity Center",
        PERMISSION_SET,
        (_new_code(PERMISSION_SET),),
        Open(
            "only Identity Center changes its roles, so Plumbline cannot attach the guard; an SCP can hold them",
            Told(Way.TRIPWIRE, ("UpdateFunctionCode", "<my-name>")),
        ),
    ),
    Attack(
        "other code, by one who carries as many policies as AWS takes",
        FULL,
        (_new_code(FULL),),
        Open(
            "one more policy cannot be attached; take one away, or use the SCP",
            Told(Way.TRIPWIRE, ("UpdateFunctionCode", "<my-name>")),
        ),
    ),
)

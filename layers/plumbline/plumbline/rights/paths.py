"""Every published way to administrator rights, and on what its actions are asked, as data.

A path is what its holder may call, and what the account must have for it to lead anywhere. `ways` looks for both.

Source: as the tables say; Service Authorization Reference for actions and resources.
"""

from __future__ import annotations

from collections.abc import Mapping

from plumbline.rights.lead import Path
from plumbline.rights.paths_by_iam import BY_IAM
from plumbline.rights.paths_by_work import BY_WORK

#: All of them: those through IAM first, since they need least.
PATHS: tuple[Path, ...] = (*BY_IAM, *BY_WORK)
#: Every action that bears on a path.
ACTIONS: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *(action for path in PATHS for action in path.actions),
            "iam:CreatePolicy",
            "iam:DeleteUserPermissionsBoundary",
            "iam:DeleteRolePermissionsBoundary",
        )
    )
)

#: How a resource is written, behind the account of its ARN, on which an action is asked; `{}` is a name. An action that
#: is not here is asked on what its service is.
#: Source: Service Authorization Reference, by service.
RESOURCES: Mapping[str, str] = {
    "apprunner": "service/{}/0123456789abcdef0123456789abcdef",
    "bedrock-agentcore": "code-interpreter/{}",
    "cloudformation": "stack/{}/01234567-89ab-cdef-0123-456789abcdef",
    "cloudformation:CreateStackSet": "stackset/{}",
    "cloudformation:CreateStackInstances": "stackset/{}:01234567-89ab-cdef-0123-456789abcdef",
    "cloudformation:UpdateStackSet": "stackset/{}:01234567-89ab-cdef-0123-456789abcdef",
    "codebuild": "project/{}",
    "datapipeline": "pipeline/{}",
    "ec2": "instance/{}",
    "ec2:RequestSpotInstances": "spot-instances-request/{}",
    "ec2:CreateLaunchTemplateVersion": "launch-template/{}",
    "ec2:ModifyLaunchTemplate": "launch-template/{}",
    "ec2-instance-connect": "instance/{}",
    "ecs": "cluster/{}",
    "ecs:RegisterTaskDefinition": "task-definition/{}:1",
    "ecs:CreateService": "service/{}/{}",
    "ecs:RunTask": "task-definition/{}:1",
    "ecs:StartTask": "task-definition/{}:1",
    "glue": "job/{}",
    "glue:CreateDevEndpoint": "devEndpoint/{}",
    "glue:UpdateDevEndpoint": "devEndpoint/{}",
    "glue:CreateTrigger": "trigger/{}",
    "lambda": "function:{}",
    "lambda:CreateEventSourceMapping": "event-source-mapping:{}",
    "sagemaker": "notebook-instance/{}",
    "sagemaker:CreateNotebookInstanceLifecycleConfig": "notebook-instance-lifecycle-config/{}",
    "sagemaker:CreateTrainingJob": "training-job/{}",
    "sagemaker:CreateProcessingJob": "processing-job/{}",
    "ssm": "instance/{}",
    "states": "stateMachine:{}",
}
#: The service whose ARNs an action is asked on, where it is another one's.
ASKED_OF: Mapping[str, str] = {"ssm": "ec2", "ec2-instance-connect": "ec2"}
#: What an action is asked on as well, any of these: without one that runs whatever it is told it leads nowhere.
#: Source: Service Authorization Reference, AWS Systems Manager.
ALSO: Mapping[str, tuple[str, ...]] = {
    "ssm:SendCommand": (
        "arn:{partition}:ssm:{name}::document/AWS-RunShellScript",
        "arn:{partition}:ssm:{name}::document/AWS-RunPowerShellScript",
        "arn:{partition}:ssm:{name}:{account}:document/{name}",
    ),
}
#: Actions that are asked on no resource.
WITHOUT_RESOURCE = frozenset({"ec2:DescribeInstances", "datapipeline:CreatePipeline"})

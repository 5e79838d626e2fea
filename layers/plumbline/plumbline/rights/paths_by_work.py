"""The published ways to administrator rights that lead through work which other services do with a role, as data.

Source: pathfinding.cloud (ids such as `lambda-001`, DataDog, Apache-2.0); Rhino Security Labs, AWS IAM privilege
escalation (`rhino-`); the rest (`own-`) follows from what the service's actions do.
"""

from __future__ import annotations

from collections.abc import Mapping

from plumbline.rights.lead import Lead, Path

_ROLE = "iam:PassRole"
_LAMBDA, _GLUE, _ECS = ("lambda.amazonaws.com",), ("glue.amazonaws.com",), ("ecs-tasks.amazonaws.com",)
_EC2, _BUILD, _STACKS = ("ec2.amazonaws.com",), ("codebuild.amazonaws.com",), ("cloudformation.amazonaws.com",)
_SAGEMAKER = ("sagemaker.amazonaws.com",)
# App Runner's roles trust it under one name and are passed under the other, in AWS's own policies.
_RUNNER = ("tasks.apprunner.amazonaws.com", "apprunner.amazonaws.com")
_AGENTS = ("bedrock-agentcore.amazonaws.com",)
_PIPELINE = ("datapipeline.amazonaws.com", "ec2.amazonaws.com", "elasticmapreduce.amazonaws.com")
_STATES = ("states.amazonaws.com",)


def _passed(name: str, services: tuple[str, ...], to: str, *actions: str) -> Path:
    does = f"pass the role {{}}, which has administrator rights, to {to}"
    return Path(name, Lead.PASSED, (_ROLE, *actions), does, services)


def _running(
    name: str, kind: str, services: tuple[str, ...], does: str, *actions: str, elsewhere: tuple[str, ...] = ()
) -> Path:
    """`does` names the thing as `{thing}`: one that was read, or any."""
    return Path(
        name,
        Lead.RUNNING,
        actions,
        f"{does.format(thing=THINGS[kind][0])}, which runs with the role {{}}, which has administrator rights",
        services,
        kind,
        elsewhere,
        f"{does.format(thing=THINGS[kind][1])}, and the role {{}}, which has administrator rights, is one that "
        "they can run with",
    )


#: What runs with a role: one that was read, `{}` its name, and any.
THINGS: Mapping[str, tuple[str, str]] = {
    "lambda-function": ("the Lambda function {thing}", "Lambda functions"),
    "ec2-instance": ("the instance {thing}", "EC2 instances"),
    "launch-template": ("the launch template {thing}", "launch templates"),
    "cloudformation-stack": ("the stack {thing}", "CloudFormation stacks"),
    "codebuild-project": ("the build project {thing}", "CodeBuild projects"),
    "glue-dev-endpoint": ("the Glue development endpoint {thing}", "Glue development endpoints"),
    "sagemaker-notebook": ("the notebook instance {thing}", "SageMaker notebook instances"),
    "apprunner-service": ("the App Runner service {thing}", "App Runner services"),
    "code-interpreter": ("the code interpreter {thing}", "Bedrock code interpreters"),
    "state-machine": ("the state machine {thing}", "Step Functions state machines"),
}

_NEW_WORK = (
    _passed("apprunner-001", _RUNNER, "a new App Runner service", "apprunner:CreateService"),
    _passed(
        "bedrock-001",
        _AGENTS,
        "a new Bedrock code interpreter",
        "bedrock-agentcore:CreateCodeInterpreter",
        "bedrock-agentcore:StartCodeInterpreterSession",
        "bedrock-agentcore:InvokeCodeInterpreter",
    ),
    _passed("cloudformation-001", _STACKS, "a new CloudFormation stack", "cloudformation:CreateStack"),
    Path(
        "cloudformation-003",
        Lead.STACK_SET,
        (_ROLE, "cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"),
        "make a CloudFormation stack set that works with the role {}, which has administrator rights",
        _STACKS,
    ),
    Path(
        "cloudformation-004",
        Lead.STACK_SET,
        (_ROLE, "cloudformation:UpdateStackSet"),
        "change CloudFormation stack sets so that they work with the role {}, which has administrator rights",
        _STACKS,
    ),
    _passed("codebuild-001", _BUILD, "a new CodeBuild project", "codebuild:CreateProject", "codebuild:StartBuild"),
    _passed("codebuild-004", _BUILD, "a new CodeBuild project", "codebuild:CreateProject", "codebuild:StartBuildBatch"),
    _passed(
        "datapipeline-001",
        _PIPELINE,
        "a new data pipeline",
        "datapipeline:CreatePipeline",
        "datapipeline:PutPipelineDefinition",
        "datapipeline:ActivatePipeline",
    ),
    _passed("ec2-001", _EC2, "a new EC2 instance", "ec2:RunInstances"),
    _passed("ec2-003", _EC2, "a new EC2 spot instance", "ec2:RequestSpotInstances"),
    _passed(
        "ecs-001",
        _ECS,
        "a new ECS service in a new cluster",
        "ecs:CreateCluster",
        "ecs:RegisterTaskDefinition",
        "ecs:CreateService",
    ),
    _passed(
        "ecs-002",
        _ECS,
        "a new ECS task in a new cluster",
        "ecs:CreateCluster",
        "ecs:RegisterTaskDefinition",
        "ecs:RunTask",
    ),
    _passed("ecs-003", _ECS, "a new ECS service", "ecs:RegisterTaskDefinition", "ecs:CreateService"),
    _passed("ecs-004", _ECS, "a new ECS task", "ecs:RegisterTaskDefinition", "ecs:RunTask"),
    _passed("ecs-005", _ECS, "a new ECS task", "ecs:RegisterTaskDefinition", "ecs:StartTask"),
    _passed("glue-001", _GLUE, "a new Glue development endpoint", "glue:CreateDevEndpoint"),
    _passed("glue-003", _GLUE, "a new Glue job", "glue:CreateJob", "glue:StartJobRun"),
    _passed("glue-004", _GLUE, "a new Glue job", "glue:CreateJob", "glue:CreateTrigger"),
    _passed("glue-005", _GLUE, "a Glue job that there is", "glue:UpdateJob", "glue:StartJobRun"),
    _passed("glue-006", _GLUE, "a Glue job that there is", "glue:UpdateJob", "glue:CreateTrigger"),
    _passed("lambda-001", _LAMBDA, "a new Lambda function", "lambda:CreateFunction", "lambda:InvokeFunction"),
    _passed("lambda-002", _LAMBDA, "a new Lambda function", "lambda:CreateFunction", "lambda:CreateEventSourceMapping"),
    _passed("lambda-006", _LAMBDA, "a new Lambda function", "lambda:CreateFunction", "lambda:AddPermission"),
    _passed("sagemaker-001", _SAGEMAKER, "a new SageMaker notebook instance", "sagemaker:CreateNotebookInstance"),
    _passed("sagemaker-002", _SAGEMAKER, "a new SageMaker training job", "sagemaker:CreateTrainingJob"),
    _passed("sagemaker-003", _SAGEMAKER, "a new SageMaker processing job", "sagemaker:CreateProcessingJob"),
    _passed("own-states-1", _STATES, "a new state machine", "states:CreateStateMachine", "states:StartExecution"),
)
_OLD_WORK = (
    _running("apprunner-002", "apprunner-service", _RUNNER, "change the code of {thing}", "apprunner:UpdateService"),
    _running(
        "bedrock-002",
        "code-interpreter",
        _AGENTS,
        "run code in {thing}",
        "bedrock-agentcore:StartCodeInterpreterSession",
        "bedrock-agentcore:InvokeCodeInterpreter",
    ),
    _running(
        "cloudformation-002",
        "cloudformation-stack",
        _STACKS,
        "change the template of {thing}",
        "cloudformation:UpdateStack",
    ),
    _running(
        "cloudformation-005",
        "cloudformation-stack",
        _STACKS,
        "change the template of {thing}",
        "cloudformation:CreateChangeSet",
        "cloudformation:ExecuteChangeSet",
    ),
    _running(
        "codebuild-002", "codebuild-project", _BUILD, "run commands of its own in {thing}", "codebuild:StartBuild"
    ),
    _running(
        "codebuild-003", "codebuild-project", _BUILD, "run commands of its own in {thing}", "codebuild:StartBuildBatch"
    ),
    _running(
        "ec2-002",
        "ec2-instance",
        _EC2,
        "change what runs at the start of {thing}",
        "ec2:ModifyInstanceAttribute",
        "ec2:StopInstances",
        "ec2:StartInstances",
    ),
    _running(
        "ec2-004",
        "launch-template",
        _EC2,
        "change what instances of {thing} run",
        "ec2:CreateLaunchTemplateVersion",
        "ec2:ModifyLaunchTemplate",
    ),
    _running(
        "ec2instanceconnect-003",
        "ec2-instance",
        _EC2,
        "sign in to {thing}",
        "ec2-instance-connect:SendSSHPublicKey",
        "ec2:DescribeInstances",
        elsewhere=("ec2:DescribeInstances",),
    ),
    _running("glue-002", "glue-dev-endpoint", _GLUE, "sign in to {thing}", "glue:UpdateDevEndpoint"),
    _running("lambda-003", "lambda-function", _LAMBDA, "change the code of {thing}", "lambda:UpdateFunctionCode"),
    _running(
        "lambda-004",
        "lambda-function",
        _LAMBDA,
        "change and call {thing}",
        "lambda:UpdateFunctionCode",
        "lambda:InvokeFunction",
    ),
    _running(
        "lambda-005",
        "lambda-function",
        _LAMBDA,
        "change {thing} and let anybody call it",
        "lambda:UpdateFunctionCode",
        "lambda:AddPermission",
    ),
    _running(
        "rhino-lambda-layer",
        "lambda-function",
        _LAMBDA,
        "put code of its own under {thing}, as a layer",
        "lambda:UpdateFunctionConfiguration",
    ),
    _running(
        "sagemaker-004",
        "sagemaker-notebook",
        _SAGEMAKER,
        "open {thing}",
        "sagemaker:CreatePresignedNotebookInstanceUrl",
    ),
    _running(
        "sagemaker-005",
        "sagemaker-notebook",
        _SAGEMAKER,
        "change what runs at the start of {thing}",
        "sagemaker:UpdateNotebookInstance",
        "sagemaker:StopNotebookInstance",
        "sagemaker:StartNotebookInstance",
        "sagemaker:CreateNotebookInstanceLifecycleConfig",
        elsewhere=("sagemaker:CreateNotebookInstanceLifecycleConfig",),
    ),
    _running("ssm-001", "ec2-instance", _EC2, "open a session on {thing}", "ssm:StartSession"),
    _running("ssm-002", "ec2-instance", _EC2, "run commands on {thing}", "ssm:SendCommand"),
    _running(
        "own-states-2",
        "state-machine",
        _STATES,
        "change the definition of {thing}",
        "states:UpdateStateMachine",
        "states:StartExecution",
    ),
)
BY_WORK: tuple[Path, ...] = (*_NEW_WORK, *_OLD_WORK)

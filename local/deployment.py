"""`sam build` and `sam deploy` of the real template into the embedded AWS."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local.embedded import ROOT, EmbeddedAWS, EmbeddedAWSError

STACK = "plumbline"
_BUILD_SECONDS, _DEPLOY_SECONDS = 300, 300


def build(aws: EmbeddedAWS, *, source: Path = ROOT, baseline: Path | None = None) -> None:
    """Build the functions and the layer as a user does, but into the account's own folder: two may build at once.

    Args:
        aws: where it will be deployed.
        source: the project's folder.
        baseline: another baseline.yaml than the project's.

    Raises:
        EmbeddedAWSError: the build failed or took too long; the message ends with what it printed.
    """
    other = {"PLUMBLINE_BASELINE": str(baseline)} if baseline else {}
    _sam(aws, ["build", "--config-env", "local", "--build-dir", str(built_for(aws))], source, _BUILD_SECONDS, other)


def deploy(
    aws: EmbeddedAWS,
    parameters: Mapping[str, str],
    *,
    source: Path = ROOT,
    stack: str = STACK,
    built: Path | None = None,
) -> dict[str, str]:
    """Deploy what was built, and give the stack's outputs.

    Args:
        aws: where to.
        parameters: the template's parameters; those that a stack has already need not be given again.
        source: the project's folder.
        stack: the stack's name.
        built: the folder of another template.yaml than the one that was built.

    Raises:
        EmbeddedAWSError: the deployment failed or took too long.
    """
    given = [f"{name}={value}" for name, value in parameters.items()]
    overrides = ["--parameter-overrides", *given] if given else []
    template = ["--template-file", str((built or built_for(aws)) / "template.yaml"), "--stack-name", stack]
    _sam(aws, ["deploy", "--config-env", "local", *template, *overrides], source, _DEPLOY_SECONDS)
    made = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {one["OutputKey"]: one["OutputValue"] for one in made.get("Outputs", ())}


def delete(aws: EmbeddedAWS, *, source: Path = ROOT, stack: str = STACK) -> None:
    """Delete a stack, as a person does who has had enough.

    Raises:
        EmbeddedAWSError: it was not deleted, or took too long.
    """
    words = ["delete", "--config-env", "local", "--stack-name", stack, "--region", aws.region, "--no-prompts"]
    _sam(aws, words, source, _DEPLOY_SECONDS)


def built_for(aws: EmbeddedAWS) -> Path:
    """Where what is built for an account stands."""
    return aws.log.with_name("build")


def _sam(
    aws: EmbeddedAWS, arguments: list[str], source: Path, seconds: int, variables: Mapping[str, str] | None = None
) -> None:
    tools = ROOT / ".venv/sam/bin"
    environment = {
        **aws.environment(),
        "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PLUMBLINE_LAMBDA_PYTHON": str(ROOT / ".venv/lambda/bin/python"),
        **(variables or {}),
    }
    log = aws.log.with_name(f"sam-{arguments[0]}.log")
    with log.open("w") as sink:
        try:
            code = subprocess.run(
                [tools / "sam", *arguments, "--config-file", source / "samconfig.toml"],
                cwd=source,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired as error:
            raise EmbeddedAWSError(f"sam {arguments[0]} took longer than {seconds} s; its log is {log}") from error
    if code:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise EmbeddedAWSError(f"sam {arguments[0]} failed; its log is {log} and ends:\n{tail}")

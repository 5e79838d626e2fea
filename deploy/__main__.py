"""`make deploy`: looks at the account first, says what it decided, builds and deploys, and says what is left to do."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path

from botocore.exceptions import BotoCoreError

from deploy import looking
from deploy.deciding import TRAIL, Refused, Wanted, decide
from plumbline.adapters.clients import ClientFactory, Clients
from plumbline.alerts.hearing import ONLY_ESCALATIONS
from plumbline.baseline.checks import CHOSEN
from plumbline.core.errors import AwsRefusal

_WIDTH = 100
#: What an address that hears of escalations alone is subscribed with.
_ONLY = f" --attributes {shlex.quote(ONLY_ESCALATIONS)}"


def main(arguments: Sequence[str]) -> int:
    """Look, say, deploy, say; 0 when it is deployed."""
    typed = _parse(arguments)
    region = looking.home_region(typed.region)
    if not region:
        return _stop("No region is configured; say which: AWS_REGION=us-east-1 make deploy EMAIL=you@example.com")
    clients = Clients(region, lambda: datetime.now(timezone.utc))
    stack = typed.stack or _configured(typed.config_env)
    try:
        parameters = _parameters(typed.parameters)
        trail = typed.trail or parameters.pop(TRAIL, "")
        wanted = Wanted(stack, typed.email or parameters.pop("AlertEmail", ""), trail, parameters)
        seen = looking.look(clients, region, stack)
        decision = decide(seen, wanted)
    except Refused as refusal:
        return _stop(str(refusal))
    except (AwsRefusal, BotoCoreError) as error:
        return _stop(
            f"The account could not be looked at: {error}. Check your credentials and region: `aws sts "
            "get-caller-identity` must answer, and deploying takes an administrator's rights. A region that the "
            "account has not switched on knows nobody: "
            f"`aws account get-region-opt-status --region-name {region} --region us-east-1` says."
        )
    _say(decision.told)
    if typed.look:
        return 0
    deployed = {**seen.parameters, **decision.parameters}
    chosen = deployed.get("InlinePolicies", "")  # the build has to know
    code = _sam(["build", *_build_dir(typed)], typed.config_env, **{CHOSEN: chosen})
    given = [f"{name}={_quoted(value)}" for name, value in decision.parameters.items()]
    where = ["--stack-name", stack, "--region", region]
    overrides = ["--parameter-overrides", *given] if given else []
    code = code or _sam(["deploy", *_template(typed), *where, *overrides], typed.config_env)
    return code or after(clients, region, stack, deployed.get("EscalationEmail", ""))


def after(clients: ClientFactory, region: str, stack: str, escalation: str = "") -> int:
    """Say what a person has to do now that it is deployed; 0 where it is.

    Args:
        clients: makes clients with the caller's credentials.
        region: the home region.
        stack: the stack's name.
        escalation: the address that hears of escalations alone; empty for none.
    """
    topic = looking.outputs(clients, region, stack).get("AlertsTopicArn", "")
    if not topic:
        return _stop(f"The stack {stack} is not deployed in {region}; its change was not carried out.")
    waiting = list(looking.unconfirmed(clients, region, topic))
    if not waiting:
        heard = (
            "Deployed, and heard: every address that alerts go to has confirmed. `plumbline status` shows what is "
            "watched, and who of the roster does not hear of his own user yet."
        )
        _say([heard])
        return 0
    again = [
        f"aws sns subscribe --region {region} --topic-arn {arn} --protocol email --notification-endpoint "
        f"{shlex.quote(one)}{_ONLY if one == escalation else ''}"
        for arn, one in waiting
    ]
    who = " and ".join(dict.fromkeys(one for _, one in waiting))
    links, send = ("link", "this sends") if len(waiting) == 1 else (f"{len(waiting)} links", "these send")
    told = (
        f"Deployed, and not heard yet: {who} must click the {links} in the e-mails from AWS Notifications. Until "
        f"somebody has, nothing is repaired. A link lasts two days; {send} a new one:"
    )
    _say([told])
    sys.stdout.write("".join(f"  {line}\n" for line in again))
    return 0


def _sam(arguments: Sequence[str], config_env: str, **told: str) -> int:
    command = ["sam", arguments[0], "--config-env", config_env, *arguments[1:]]
    try:
        told = {**os.environ, **told}
        return subprocess.run(command, check=False, env=told).returncode  # noqa: S603 -- a list: no shell reads it
    except FileNotFoundError:
        return _stop("`sam` is not on the path; run this as `make deploy`, which brings its own.")


def _build_dir(typed: argparse.Namespace) -> list[str]:
    return ["--build-dir", str(typed.build_dir)] if typed.build_dir else []


def _template(typed: argparse.Namespace) -> list[str]:
    return ["--template-file", str(typed.build_dir / "template.yaml")] if typed.build_dir else []


def _configured(environment: str) -> str:
    """The stack's name in samconfig.toml."""
    path = Path("samconfig.toml")
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return str(
        tomllib.loads(text).get(environment, {}).get("global", {}).get("parameters", {}).get("stack_name", "plumbline")
    )


def _parameters(typed: str) -> dict[str, str]:
    """`Mode=observe LogRetentionDays=30`, as a shell would split it."""
    pairs = [one.partition("=") for one in shlex.split(typed)]
    wrong = [name for name, sign, _ in pairs if not sign]
    if wrong:
        raise Refused(f"PARAMETERS takes NAME=VALUE, and {wrong[0]} is none: make deploy PARAMETERS='Mode=observe'")
    return {name: value for name, _, value in pairs}


def _quoted(value: str) -> str:
    """A value as SAM takes it in NAME=VALUE: an empty one, or one with spaces, in quotes."""
    return value if value and not set(value) & set(" '\"") else '"' + value.replace('"', '\\"') + '"'


def _say(paragraphs: Iterable[str]) -> None:
    for one in paragraphs:
        sys.stdout.write(textwrap.fill(one, _WIDTH, break_long_words=False, break_on_hyphens=False) + "\n\n")
    sys.stdout.flush()


def _stop(line: str) -> int:
    sys.stderr.write(f"{line}\n")
    return 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("--email", default="", help="EMAIL=: who is told; left out, whoever is told already")
    parser.add_argument("--trail", default="", help="TRAIL=: a trail's name or ARN, or `new`; left out, it looks")
    parser.add_argument("--parameters", default="", help="PARAMETERS=: further parameters, as in 'Mode=observe'")
    parser.add_argument("--stack", default="", help="STACK=: the stack's name; left out, the one in samconfig.toml")
    parser.add_argument("--region", default="", help="the home region; your profile's when left out")
    parser.add_argument("--look", action="store_true", help="say what would be decided, and deploy nothing")
    parser.add_argument("--config-env", default="default", help="the part of samconfig.toml that counts")
    parser.add_argument("--build-dir", type=Path, help="where to build; .aws-sam/build when left out")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

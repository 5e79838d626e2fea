"""`python -m local`: start an empty AWS account on this machine and keep it until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import suppress
from pathlib import Path

from local.embedded import ACCOUNT, REGION, EmbeddedAWS, EmbeddedAWSError


def main() -> None:
    """Start, say how to talk to it, wait."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=int, default=4566)
    parser.add_argument("--state", type=Path, default=Path(".plumbline/embedded"))
    parser.add_argument("--account", default=ACCOUNT)
    parser.add_argument("--region", default=REGION)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with EmbeddedAWS.start(arguments.port, arguments.state, arguments.account, arguments.region) as aws:
            sys.stdout.write(how_to_talk_to(aws))
            sys.stdout.flush()
            with suppress(KeyboardInterrupt):
                signal.pause()
    except EmbeddedAWSError as error:
        parser.exit(1, f"{error}\n")


def how_to_talk_to(aws: EmbeddedAWS) -> str:
    """What to type to use the account with the plain AWS CLI."""
    wanted = (
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
    )
    exports = "\n".join(f"  export {name}={aws.environment()[name]}" for name in wanted)
    return f"""\
An AWS account, {aws.account}, is at {aws.endpoint} (log: {aws.log}).
Talk to it as its administrator:

{exports}
  aws iam list-users

See what it saw and sent:

  curl {aws.endpoint}/_plumbline/calls
  curl {aws.endpoint}/_plumbline/mail

Ctrl-C ends it.
"""


if __name__ == "__main__":
    main()

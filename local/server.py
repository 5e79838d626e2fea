"""The server process: ministack with our patches, behind our gateway, on loopback.

Runs under the emulator's environment: `.venv/emulator/bin/python -m local.server --port 4566 --state .plumbline/local`.

Everything it is told comes by argument; its own environment is built here, because functions must not find the
user's, and because ministack reads its settings from the environment when it is imported.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local.server", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="directory for scratch files and moto's log")
    parser.add_argument("--account", default="111122223333")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--lambda-python", type=Path, default=ROOT / ".venv/lambda/bin/python")
    parser.add_argument("--dev-python", type=Path, default=ROOT / ".venv/dev/bin/python")
    parser.add_argument("--sam-python", type=Path, default=ROOT / ".venv/sam/bin/python")
    parser.add_argument("--no-confirm-mail", action="store_true", help="leave e-mail subscriptions pending")
    parser.add_argument("--until-eof", action="store_true", help="stop when standard input closes")
    return parser.parse_args()


def _environment(arguments: argparse.Namespace) -> dict[str, str]:
    scratch = arguments.state / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(arguments.state),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(arguments.port),
        "EDGE_PORT": str(arguments.port),
        "MINISTACK_ACCOUNT_ID": arguments.account,
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": arguments.region,
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        # No Docker: ministack must not look for an engine, nor wait for one.
        "DOCKER_HOST": f"unix://{scratch}/no-docker.sock",
        "LAMBDA_EXECUTOR": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        # The Lambdas' retries and redrives are waited for; the shape is AWS's, the wait is not.
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.5",
    }


async def _serve(arguments: argparse.Namespace) -> None:
    # Imported late: ministack reads the environment when it is imported.
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app
    from ministack.core import lambda_runtime

    from local import patches
    from local.gateway import Gateway
    from local.moto_server import MotoServer
    from local.relay import TrailRelay

    moto = MotoServer(arguments.dev_python, arguments.state / "moto.log")
    trail = TrailRelay()
    settings = patches.Settings(
        account=arguments.account,
        home=arguments.region,
        endpoint=f"http://127.0.0.1:{arguments.port}",
        lambda_python=arguments.lambda_python,
        sam_python=arguments.sam_python,
        dev_site_packages=_site_packages(arguments.dev_python),
        confirm_mail=not arguments.no_confirm_mail,
    )
    patches.apply(settings, moto, trail)
    config = Config()
    config.bind = [f"127.0.0.1:{arguments.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if arguments.until_eof:
        loop.add_reader(sys.stdin, stop.set)
    try:
        await serve(Gateway(app.app, trail, moto), config, shutdown_trigger=stop.wait)
    finally:
        trail.close()
        moto.close()
        lambda_runtime.reset()


def _site_packages(python: Path) -> Path:
    found = sorted((python.parent.parent / "lib").glob("python3*/site-packages"))
    if not found:
        message = f"{python} belongs to no virtual environment; run `make setup`"
        raise SystemExit(message)
    return found[-1]


def main() -> None:
    """Serve until told to stop, and leave no process behind."""
    arguments = _arguments()
    arguments.state = arguments.state.resolve()
    os.environ.clear()
    os.environ.update(_environment(arguments))
    logging.captureWarnings(capture=True)
    asyncio.run(_serve(arguments))
    # The emulator's pollers are daemon threads that would hold the interpreter up at exit.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()

"""An AWS account on this machine, for the demo and the end-to-end tests.

>>> with EmbeddedAWS.start() as aws:                                        # doctest: +SKIP
...     aws.user("mallory", policies=["arn:aws:iam::aws:policy/IAMFullAccess"])
...     aws.client("iam", as_="mallory").create_access_key(UserName="mallory")
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import boto3
from botocore.config import Config

from local import typed
from local.wire import s3_control_endpoint

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = "111122223333"
REGION = "us-east-1"

_START_TIMEOUT = 20.0
_STOP_TIMEOUT = 10.0
# Moto may be started first, which takes its time where many tests run at once.
_ANSWER_TIMEOUT = 150.0
_POLL = 0.05
# The role a person gets from IAM Identity Center; whoever deploys acts through it.
_ADMIN_ROLE = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
_ADMIN_PATH = "/aws-reserved/sso.amazonaws.com/"
_ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
_TWELVE_HOURS = 43200
T = TypeVar("T")


class EmbeddedAWSError(RuntimeError):
    """The embedded AWS did not do what it was asked to; the message names its log."""


class NotInTime(EmbeddedAWSError, TimeoutError):
    """Something that was waited for did not happen."""


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail as its reader gets it."""

    number: int
    time: str
    topic: str
    to: str
    subject: str
    text: str
    attributes: Mapping[str, str]
    protocol: str = "email"


@dataclass(frozen=True, slots=True)
class Check:
    """One question put to IAM while a request was served."""

    action: str
    resource: str
    allowed: bool


@dataclass(frozen=True, slots=True)
class SeenCall:
    """One API request the account saw, and what came of it."""

    number: int
    time: str
    principal: str
    service: str
    operation: str
    event: str
    region: str
    status: int
    error: str
    checks: Sequence[Check]
    user_agent: str

    @property
    def role(self) -> str:
        """The name of the caller's role; empty when the caller is no role."""
        return self._assumed[0]

    @property
    def session(self) -> str:
        """The name of the caller's session; empty when the caller is no role."""
        return self._assumed[1]

    @property
    def _assumed(self) -> tuple[str, str]:
        _, marker, names = self.principal.partition(":assumed-role/")
        role, _, session = names.partition("/")
        return (role, session) if marker else ("", "")


@dataclass(frozen=True, slots=True)
class _Keys:
    access_key: str
    secret_key: str
    token: str | None = None


@dataclass(slots=True)
class EmbeddedAWS:
    """A running emulator and the account in it. Make one with `start`; leave the `with` to stop it."""

    endpoint: str
    log: Path
    account: str
    region: str
    _process: subprocess.Popen[bytes]
    _keys: dict[str, _Keys] = field(default_factory=dict, repr=False)
    # Kept, because a session reads the models of a service once; making a client is not safe in two threads.
    _sessions: dict[tuple[str, str | None], boto3.Session] = field(default_factory=dict, repr=False)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _mail: list[Mail] = field(default_factory=list, repr=False)
    _calls: list[SeenCall] = field(default_factory=list, repr=False)
    _reading: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    @contextmanager
    def start(
        cls,
        port: int | None = None,
        state: Path = Path(".plumbline/embedded"),
        account: str = ACCOUNT,
        region: str = REGION,
        *,
        confirm_mail: bool = True,
    ) -> Iterator[Self]:
        """Start an empty account and stop it at the end of the block.

        Functions run on the interpreter named by PLUMBLINE_LAMBDA_PYTHON, else on `.venv/lambda`'s.

        Args:
            port: on loopback; None or 0 for any free one.
            state: a directory for its log and scratch files, emptied first.
            account: the account's number.
            region: its home Region.
            confirm_mail: whether e-mail subscriptions confirm themselves, since nobody clicks.

        Raises:
            EmbeddedAWSError: the port is taken, or it did not come up within 20 seconds.
        """
        aws = cls._launch(port or _free_port(), state.resolve(), account, region, confirm_mail=confirm_mail)
        try:
            aws._await_health()
            aws._add_administrator()
            yield aws
        finally:
            aws.stop()

    @classmethod
    def _launch(cls, port: int, state: Path, account: str, region: str, *, confirm_mail: bool) -> Self:
        python = ROOT / ".venv/emulator/bin/python"
        if not python.exists():
            message = f"{python} is missing; run `make setup`"
            raise EmbeddedAWSError(message)
        _refuse_taken(port)
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir(parents=True)
        log = state / "aws.log"
        lambda_python = os.environ.get("PLUMBLINE_LAMBDA_PYTHON") or ROOT / ".venv/lambda/bin/python"
        command: list[str | Path] = [python, "-m", "local.server", "--port", str(port), "--state", state, "--until-eof"]
        command += ["--account", account, "--region", region, "--lambda-python", lambda_python]
        command += [] if confirm_mail else ["--no-confirm-mail"]
        with log.open("wb") as sink:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                # Nothing of the user's: no proxy, no profile, no key.
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(state), "LANG": "C.UTF-8"},
                # Held open for as long as this process lives: the server stops when it closes, however we end.
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(f"http://127.0.0.1:{port}", log, account, region, process, {"root": _Keys(account, "test")})

    def stop(self) -> None:
        """Stop the emulator, its functions and its moto; nothing is left running."""
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_TIMEOUT)
        # Everything it started is in its own session, whether or not it ended in good order.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    # --- acting in it -----------------------------------------------------------------------------

    def environment(self, principal: str = "admin") -> dict[str, str]:
        """What a command such as `sam` needs in its environment to act in this account as a principal."""
        keys = self._keys_of(principal)
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        token = {"AWS_SESSION_TOKEN": keys.token} if keys.token else {}
        return {
            **inherited,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            **token,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_ENDPOINT_URL_S3_CONTROL": s3_control_endpoint(self.endpoint),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            "NO_PROXY": "127.0.0.1,localhost",
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "0.3",
        }

    def session(self, principal: str = "admin", region: str | None = None) -> boto3.Session:
        """A session of "root", of "admin" (an Identity Center role), of a user made with `user`, or of another account.

        Another account is called by its twelve digits; it is that account's root user who acts.
        """
        keys = self._keys_of(principal)
        return boto3.Session(
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
            aws_session_token=keys.token,
            region_name=region or self.region,
        )

    def client(self, service: str, as_: str = "admin", region: str | None = None) -> Any:  # noqa: ANN401
        """A client of one service, acting as a principal."""
        # A proxy of the user's must not stand between two processes of this machine.
        config = Config(proxies={}, inject_host_prefix=False, retries={"mode": "standard", "total_max_attempts": 2})
        endpoint = s3_control_endpoint(self.endpoint) if service == "s3control" else self.endpoint
        with self._one_at_a_time:
            if (as_, region) not in self._sessions:
                self._sessions[as_, region] = self.session(as_, region)
            return self._sessions[as_, region].client(service, endpoint_url=endpoint, config=config)

    def user(self, name: str, policies: Sequence[str] = ()) -> str:
        """Make an IAM user with an access key and managed policies, and return its ARN; again, only add policies."""
        iam = self.client("iam")
        if name not in self._keys:
            iam.create_user(UserName=name)
            key = iam.create_access_key(UserName=name)["AccessKey"]
            self._keys[name] = _Keys(key["AccessKeyId"], key["SecretAccessKey"])
        for policy in policies:
            iam.attach_user_policy(UserName=name, PolicyArn=policy)
        return f"arn:aws:iam::{self.account}:user/{name}"

    def signed_in(self, name: str) -> None:
        """Make an IAM user who acts as somebody does after `aws login`: with a session of his own, and no key."""
        self.user(name)
        iam = self.client("iam")
        (key,) = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
        made = self.client("sts", as_=name).get_session_token(DurationSeconds=_TWELVE_HOURS)["Credentials"]
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        self._keys[name] = _Keys(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
        self._sessions.clear()

    def without_identity_center(self, administrator: str) -> None:
        """Take away the administrator's role that every account here begins with; a user is its administrator then."""
        iam = self.client("iam", as_="root")
        iam.detach_role_policy(RoleName=_ADMIN_ROLE, PolicyArn=_ADMINISTRATOR_ACCESS)
        iam.delete_role(RoleName=_ADMIN_ROLE)
        self._keys["admin"] = self._keys[administrator]
        self._sessions.clear()

    def permission_set(self, name: str, policies: Sequence[str] = (), session: str = "person") -> str:
        """Make a role as Identity Center makes one for a permission set, act in it by its name, and return its ARN."""
        iam = self.client("iam", as_="root")
        trusted = {"AWS": f"arn:aws:iam::{self.account}:root"}
        statement = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        arn = str(
            iam.create_role(
                RoleName=name, Path=_ADMIN_PATH, AssumeRolePolicyDocument=trust, MaxSessionDuration=_TWELVE_HOURS
            )["Role"]["Arn"]
        )
        for policy in policies:
            iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        made = self.client("sts", as_="root").assume_role(
            RoleArn=arn, RoleSessionName=session, DurationSeconds=_TWELVE_HOURS
        )["Credentials"]
        self._keys[name] = _Keys(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
        # From now on as on AWS: it trusts Identity Center and nobody of the account, whatever he may assume.
        provider = {"Federated": f"arn:aws:iam::{self.account}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"}
        statement = {"Effect": "Allow", "Principal": provider, "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"]}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        return arn

    def bucket(self, name: str, as_: str = "admin", region: str | None = None, **settings: str) -> None:
        """Make a bucket in whichever Region; outside us-east-1, S3 wants to hear the one that it is called in.

        Args:
            name: the bucket's.
            as_: who makes it.
            region: where; the home Region by default.
            settings: what else CreateBucket takes, such as `ObjectOwnership`.
        """
        where = region or self.region
        there = {} if where == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": where}}
        self.client("s3", as_, region).create_bucket(Bucket=name, **there, **settings)

    def invoke(self, function: str, payload: object = None, as_: str = "admin") -> Any:  # noqa: ANN401
        """Invoke a function and return what it answered; its error is raised with its trace."""
        answer = self.client("lambda", as_).invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        value = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            message = f"{function} failed: {json.dumps(value, indent=2)}\nThe emulator's log is {self.log}"
            raise EmbeddedAWSError(message)
        return value

    def typed(self, *words: str, as_: str = "admin", function: str = "plumbline-operate") -> Any:  # noqa: ANN401
        """Type a command of Plumbline, with the proof of who types it; what operate answers."""
        asked = typed.request(self.session(as_), self.endpoint, self.account, function, words)
        return self.invoke(function, asked, as_=as_)

    # --- watching it ------------------------------------------------------------------------------

    def inject(self, event: Mapping[str, Any]) -> None:
        """Deliver an EventBridge event as AWS itself would; account, region and time default to here and now."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        defaults = {"account": self.account, "region": self.region, "time": now, "resources": []}
        self._ask("POST", "events", {**defaults, **event})

    def fire(self, rule: str, *, region: str | None = None) -> int:
        """Let the schedule of a rule come round now, for nobody waits for it; returns how many targets it has.

        Args:
            rule: its name; nobody hears one that is disabled, or has no schedule.
            region: where; the home Region by default.
        """
        where = {"account": self.account, "region": region or self.region, "rule": rule}
        return int(self._ask("POST", "rules/fire", where)["heard"])

    def hold(
        self, setting: str, values: Mapping[str, Any] | None = None, *, message: str = "", region: str | None = None
    ) -> None:
        """Let an organisation above this account hold a setting of it.

        Args:
            setting: `instance-metadata-defaults`, `s3-public-access` or `ebs-encryption`; see `local.moto_additions`.
            values: what its policy sets, by the names of the API's answer.
            message: what its policy tells those whom it refuses; empty for AWS's own words.
            region: where; the home Region by default.
        """
        said = {"message": message} if message else {}
        self._hold(setting, region, held=True, values=values or {}, **said)

    def bill(self, *, plan: Mapping[str, Any] | None = None, preferences: Mapping[str, str] | None = None) -> None:
        """Say what the account's bill is like, which no call of the API says.

        Args:
            plan: its plan, as GetAccountPlanState answers it; None where AWS has nothing to tell.
            preferences: its preferences of billing alerts by their keys, such as `local.moto_billing.PREFERENCE`; none
                in a fresh account.
        """
        self._ask("POST", "bill", {"account": self.account, "plan": plan or {}, "preferences": preferences or {}})

    def root_signs_in(self, address: str = "") -> None:
        """Let root sign in at the console: with its second factor if it has one.

        Args:
            address: where from; this machine when empty.
        """
        self._ask("POST", "root", {"account": self.account, "does": "sign-in", "from": address})

    def root_assigns_mfa(self, name: str) -> None:
        """Let root assign a virtual MFA device to itself, which AWS has at its console alone."""
        self._ask("POST", "root", {"account": self.account, "does": "assign-mfa", "name": name})

    def root_removes_mfa(self, name: str) -> None:
        """Let root remove its device."""
        self._ask("POST", "root", {"account": self.account, "does": "remove-mfa", "name": name})

    def disable_region(self, region: str) -> None:
        """Switch a region off, as one is that the account never opted into: its services do not know any caller."""
        self._ask("POST", "regions", {"account": self.account, "region": region, "enabled": False})

    def enable_region(self, region: str) -> None:
        """Switch a region on again."""
        self._ask("POST", "regions", {"account": self.account, "region": region, "enabled": True})

    def close_account(self, account: str) -> None:
        """Close another account, for good: its number, its root and its canonical id name nobody from then on."""
        self._ask("POST", "accounts/close", {"account": account})

    def release(self, setting: str, *, region: str | None = None) -> None:
        """End what `hold` began; what the account itself had set is in force again."""
        self._hold(setting, region, held=False)

    def _hold(self, setting: str, region: str | None, **what: object) -> None:
        where = {"setting": setting, "account": self.account, "region": region or self.region}
        self._ask("POST", "held", {**where, **what})

    def mail(self, since: int = 0) -> list[Mail]:
        """The e-mails after a number, oldest first."""
        return self._read("mail", self._mail, lambda entry: Mail(**entry))[since:]

    def confirm_mail(self, to: str) -> int:
        """Click every confirmation link sent to an address; returns how many there were."""
        return int(self._ask("POST", "mail/confirm", {"to": to})["confirmed"])

    def confirmations(self, to: str) -> list[Mapping[str, str]]:
        """The `topic` and the `token` of each confirmation link that an address was sent and has not clicked."""
        return list(self._ask("POST", "mail/confirmations", {"to": to}))

    def unsubscribe_mail(self, to: str) -> int:
        """Click the unsubscribe link of an e-mail, as people and mail scanners do; returns how many it ended."""
        return int(self._ask("POST", "mail/unsubscribe", {"to": to})["unsubscribed"])

    def expire_mail(self, to: str) -> int:
        """Let the two days pass after which AWS deletes what an address did not confirm; returns how many."""
        return int(self._ask("POST", "mail/expire", {"to": to})["expired"])

    def calls(self, since: int = 0) -> list[SeenCall]:
        """The API requests after a number, oldest first."""

        def seen(entry: Mapping[str, Any]) -> SeenCall:
            return SeenCall(**{**entry, "checks": tuple(Check(**check) for check in entry["checks"])})

        return self._read("calls", self._calls, seen)[since:]

    def _read(self, name: str, known: list[T], made: Callable[[Mapping[str, Any]], T]) -> list[T]:
        """A journal from its beginning. Only what has come since is asked for: tests look again and again."""
        with self._reading:
            known += map(made, self._ask("GET", f"{name}?since={len(known)}"))
            return known

    def wait(self, predicate: Callable[[], object], *, timeout: float = 15.0, what: str) -> float:
        """Wait until something holds and return the seconds that took.

        Raises:
            NotInTime: it did not hold in time; names what was awaited and where the log is. An error of the predicate
                is raised as it is: a wait is no place to lose one.
        """
        began = time.monotonic()
        while not predicate():
            if time.monotonic() - began > timeout:
                message = f"not within {timeout:g} s: {what}. The emulator's log is {self.log}"
                raise NotInTime(message)
            if self._process.poll() is not None:
                message = f"the embedded AWS ended while waiting for: {what}. Its log is {self.log}"
                raise EmbeddedAWSError(message)
            time.sleep(_POLL)
        return time.monotonic() - began

    # --- inside -----------------------------------------------------------------------------------

    def _keys_of(self, principal: str) -> _Keys:
        if re.fullmatch(r"\d{12}", principal):
            return _Keys(principal, "test")
        if principal not in self._keys:
            message = f"no principal {principal!r}; there are {sorted(self._keys)}. Make users with `user`"
            raise EmbeddedAWSError(message)
        return self._keys[principal]

    def _add_administrator(self) -> None:
        self.permission_set(_ADMIN_ROLE, [_ADMINISTRATOR_ACCESS], session="admin")
        self._keys["admin"] = self._keys.pop(_ADMIN_ROLE)

    def _await_health(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._healthy():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
                message = f"the embedded AWS did not start; its log is {self.log} and ends:\n{tail}"
                raise EmbeddedAWSError(message)
            time.sleep(_POLL)

    def _healthy(self) -> bool:
        try:
            return self._ask("GET", "calls?since=0") is not None
        except (urllib.error.URLError, ConnectionError):
            return False

    def _ask(self, method: str, path: str, value: object = None) -> Any:  # noqa: ANN401
        body = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(f"{self.endpoint}/_plumbline/{path}", data=body, method=method)  # noqa: S310
        # An opener of its own: the user's proxy settings are not for loopback.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=_ANSWER_TIMEOUT
        ) as response:
            return json.load(response)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            message = f"port {port} is taken on 127.0.0.1; give another, or none for any free one"
            raise EmbeddedAWSError(message) from error

"""The drawn account over TLS, under AWS's own names: IAM and S3 from memory, all else from the embedded AWS behind it.

Everything of Plumbline's own (ledger, queues, roles, functions, the trail's bucket) is asked of the embedded AWS in
which the real template is deployed. Every call is written down, whoever makes it, and whoever answers it.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from bench.answers.iam import Iam
from bench.answers.s3 import S3
from bench.answers.wire import Answer
from bench.certificates import Certificates
from bench.drawn import Drawn

_STARTED_IN = 10.0
#: Connections that are broken off are gone a moment later.
_CLOSED_IN = 0.1
_NICE = 10
_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
#: What the query string of a request to S3 asks for. Source: Amazon S3 API reference.
_ASKED = {
    "acl": "GetBucketAcl",
    "policy": "GetBucketPolicy",
    "policyStatus": "GetBucketPolicyStatus",
    "publicAccessBlock": "GetPublicAccessBlock",
    "ownershipControls": "GetBucketOwnershipControls",
    "encryption": "GetBucketEncryption",
    "versioning": "GetBucketVersioning",
    "logging": "GetBucketLogging",
    "lifecycle": "GetBucketLifecycleConfiguration",
    "website": "GetBucketWebsite",
    "tagging": "GetBucketTagging",
    "object-lock": "GetObjectLockConfiguration",
    "replication": "GetBucketReplication",
    "cors": "GetBucketCors",
    "notification": "GetBucketNotificationConfiguration",
    "location": "GetBucketLocation",
}
#: Bulk reads of IAM name nothing; whatever names a thing of Plumbline's own is the embedded AWS's to answer.
_OWN = "plumbline"
_HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "keep-alive")


@dataclass(frozen=True, slots=True)
class Seen:
    """One call.

    Attributes:
        service: botocore's name, as the signature says it; s3control for S3's control plane.
        parameters: everything that tells it from another one of the same operation.
        status: HTTP's.
        code: AWS's name of the error; empty where it is none, or where the embedded AWS answered.
    """

    service: str
    operation: str
    region: str
    parameters: str
    status: int
    code: str = ""

    @property
    def name(self) -> str:
        """Service and operation."""
        return f"{self.service} {self.operation}"


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    raw: Sequence[tuple[str, str]]

    @property
    def host(self) -> str:
        return self.headers.get("host", "")

    @property
    def scope(self) -> tuple[str, str]:
        """Region and service of the signature."""
        found = _SCOPE.search(self.headers.get("authorization", ""))
        return (found[2], found[3]) if found else ("", "")

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@dataclass(slots=True)
class Served:
    """A running account. What it answers may be exchanged between two runs.

    Attributes:
        port: where it listens, on loopback.
        certificates: what it shows.
        calls: every call so far, oldest first.
        units: the URL of the queue of a sweep's pieces, which is kept here: nobody but the bench has a sweep taken up.
        waiting: the pieces in it.
        undone: by receipt, those that were taken and not deleted.
    """

    port: int
    certificates: Certificates
    calls: list[Seen] = field(default_factory=list)
    units: str = ""
    waiting: list[str] = field(default_factory=list)
    undone: dict[str, str] = field(default_factory=dict)
    _behind: str = ""
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _iam: Iam | None = None
    _s3: S3 | None = None

    def show(self, drawn: Drawn, own: Mapping[str, Sequence[Mapping[str, Any]]], buckets: Sequence[str] = ()) -> None:
        """Answer as this account from now on.

        Args:
            drawn: the account.
            own: what Plumbline's own stack has in IAM, as the bulk read tells it.
            buckets: those that it has.
        """
        self._iam, self._s3 = Iam(drawn, own), S3(drawn, buckets)

    def talking(self) -> Sequence[asyncio.StreamWriter]:
        """Who is connected."""
        return [*self._open]

    @contextmanager
    def talk(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        """Somebody is connected until the end of the block."""
        self._open.add(writer)
        try:
            yield
        finally:
            self._open.discard(writer)
            writer.close()

    def taken(self) -> list[Seen]:
        """The calls since this was last asked."""
        taken, self.calls = self.calls, []
        return taken

    def answer(self, request: _Request) -> Answer:
        """Answer a request, and write it down."""
        region, service = request.scope
        control = service == "s3" and ".s3-control." in request.host
        if service == "iam" and self._iam is not None:
            seen, answer = self._of_iam(request, region)
        elif control:
            seen, answer = _of_control(request, region)
        elif service == "s3" and self._s3 is not None:
            seen, answer = self._of_s3(request, region)
        else:
            seen, answer = self._of_others(request, region, service)
        self.calls.append(seen)
        return answer

    def _of_iam(self, request: _Request, region: str) -> tuple[Seen, Answer]:
        given = request.form
        operation, _ = given.pop("Action", ""), given.pop("Version", "")
        assert self._iam is not None  # noqa: S101 - for the type checker
        of_ours = any(_OWN in value for value in given.values())
        answer = self._passed_on(request) if of_ours else self._iam.answer(operation, given)
        return Seen("iam", operation, region, str(sorted(given.items())), answer.status, answer.code), answer

    def _of_s3(self, request: _Request, region: str) -> tuple[Seen, Answer]:
        path, query = unquote(urlsplit(request.target).path), request.query
        query.pop("x-id", None)
        in_host = request.host.partition(".s3.")[0] if ".s3." in request.host else ""
        bucket, _, key = (f"{in_host}{path}" if in_host else path.lstrip("/")).partition("/")
        asked = next((_ASKED[one] for one in query if one in _ASKED), "")
        if not bucket:
            operation = "ListBuckets"
        else:
            operation = asked or {"HEAD": "HeadBucket"}.get(request.method, f"{request.method} {sorted(query)}")
        assert self._s3 is not None  # noqa: S101 - for the type checker
        ours = not bucket or (self._s3.knows(bucket) and not key)
        answer = self._s3.answer(operation, bucket, query) if ours else self._passed_on(request)
        about = str((bucket, key, sorted(query.items())))
        return Seen("s3", operation, region, about, answer.status, answer.code), answer

    def _of_others(self, request: _Request, region: str, service: str) -> tuple[Seen, Answer]:
        told = request.headers.get("x-amz-target", "").rpartition(".")[2]
        operation = told or (request.form.get("Action", "") if request.method == "POST" else "")
        operation = operation or f"{request.method} {urlsplit(request.target).path}"
        if operation == "SendMessageBatch":
            answer = self._sent(request)
        elif service == "sqs" and self.units and json.loads(request.body).get("QueueUrl") == self.units:
            answer = self._of_units(operation, json.loads(request.body))
        elif service == "lambda" and operation.endswith("/invocations"):  # a further run, which would take pieces
            answer = Answer(202, b"")
        else:
            answer = self._passed_on(request)
        about = request.target + request.body.decode("latin-1")
        return Seen(service, operation, region, about, answer.status), answer

    def _sent(self, request: _Request) -> Answer:
        """What SQS says of messages that it took. They stay here: nobody settles what a sweep reports."""
        asked = json.loads(request.body)
        bodies = [one["MessageBody"] for one in asked["Entries"]]
        self.waiting += bodies if asked["QueueUrl"] == self.units else []
        taken = [
            {"Id": one["Id"], "MessageId": one["Id"], "MD5OfMessageBody": _md5(body)}
            for one, body in zip(asked["Entries"], bodies, strict=True)
        ]
        return _in_json({"Successful": taken, "Failed": []})

    def _of_units(self, operation: str, asked: Mapping[str, Any]) -> Answer:
        if operation == "DeleteMessage":
            del self.undone[asked["ReceiptHandle"]]
            return _in_json({})
        if not self.waiting:
            return _in_json({})
        body, receipt = self.waiting.pop(0), f"{len(self.calls)}"
        self.undone[receipt] = body
        message = {"MessageId": receipt, "ReceiptHandle": receipt, "Body": body, "MD5OfBody": _md5(body)}
        return _in_json({"Messages": [message]})

    def _passed_on(self, request: _Request) -> Answer:
        where = urlsplit(self._behind)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        try:
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.raw:
                if name.lower() not in ("connection", "expect"):
                    connection.putheader(name, value)
            connection.endheaders(request.body)
            got = connection.getresponse()
            body = got.read()
            kept = {name: value for name, value in got.getheaders() if name.lower() not in _HOP_BY_HOP}
            return Answer(got.status, body, headers=kept)
        finally:
            connection.close()


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _in_json(data: Mapping[str, Any]) -> Answer:
    return Answer(200, json.dumps(data).encode(), headers={"Content-Type": "application/x-amz-json-1.0"})


def _of_control(request: _Request, region: str) -> tuple[Seen, Answer]:
    """S3's control plane of an account without access points, which blocks nothing as a whole."""
    path = urlsplit(request.target).path.partition("/v20180820/")[2]
    names = {
        "configuration/publicAccessBlock": "GetPublicAccessBlock",
        "accesspoint": "ListAccessPoints",
        "mrap/instances": "ListMultiRegionAccessPoints",
    }
    operation = names.get(path, f"{request.method} {path}")
    empty = {"ListAccessPoints": "AccessPointList", "ListMultiRegionAccessPoints": "AccessPoints"}
    if operation in empty:
        answer = Answer(200, f"<{operation}Result><{empty[operation]}/></{operation}Result>".encode())
    else:
        code = "NoSuchPublicAccessBlockConfiguration" if path in names else "NotImplemented"
        said = f"<Error><Code>{code}</Code><Message>bench</Message></Error><RequestId>bench</RequestId>"
        answer = Answer(404, f"<ErrorResponse>{said}</ErrorResponse>".encode(), code)
    return Seen("s3control", operation, region, str(sorted(request.query.items())), answer.status, answer.code), answer


@contextmanager
def opened(behind: str, certificates: Certificates) -> Iterator[Served]:
    """Answer until the end of the block, in a thread of this process: nothing of it counts for what is measured.

    Args:
        behind: where the embedded AWS listens, such as http://127.0.0.1:4566.
        certificates: what to show.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.chain, certificates.key)
    served = Served(0, certificates, _behind=behind)
    listening: Future[tuple[int, Callable[[], object]]] = Future()

    async def run() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        server = await asyncio.start_server(
            lambda reader, writer: _converse(served, reader, writer), "127.0.0.1", 0, ssl=context, backlog=512
        )
        listening.set_result((server.sockets[0].getsockname()[1], lambda: loop.call_soon_threadsafe(stop.set)))
        await stop.wait()
        server.close()
        for writer in served.talking():
            writer.transport.abort()
        await asyncio.sleep(_CLOSED_IN)

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="account", daemon=True)
    thread.start()
    served.port, stop = listening.result(timeout=_STARTED_IN)
    try:
        yield served
    finally:
        stop()
        thread.join(timeout=_STARTED_IN)


async def _converse(served: Served, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, RuntimeError), served.talk(writer):
        while (request := await _read(reader)) is not None:
            here = request.scope[1] in ("iam", "s3")  # from memory, as a rule: no thread is needed for it
            answer = served.answer(request) if here else await asyncio.to_thread(served.answer, request)
            body = b"" if request.method == "HEAD" else answer.body
            kind = "" if any(one.lower() == "content-type" for one in answer.headers) else "Content-Type: text/xml\r\n"
            lines = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
            head = f"HTTP/1.1 {answer.status} Bench\r\nx-amzn-RequestId: bench\r\n{kind}{lines}"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()


async def _read(reader: asyncio.StreamReader) -> _Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    raw = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    headers = {name.lower(): value for name, value in raw}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return _Request(method, target, headers, body, raw)

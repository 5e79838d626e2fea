"""The one door: every request passes here to the emulator, and is written down and relayed on its way out."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from local import accounts, deliveries, from_moto, mailbox, presigned, regions, root_user
from local.identities import caller_of
from local.moto_server import BILL, HELD, MotoServer
from local.recorder import Check, KeyUse, calls, checks_of_request, key_uses, mail
from local.relay import Answer, Call, TrailRelay
from local.shapes import event_name
from local.wire import Request, operation_of

log = logging.getLogger("plumbline.gateway")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

OURS = "/_plumbline/"
# The emulator's own pages: health, reset and the like.
_EMULATORS = "/_"


class Gateway:
    """An ASGI application around the emulator's."""

    def __init__(self, emulator: Application, trail: TrailRelay, moto: MotoServer) -> None:
        self._emulator = emulator
        self._trail = trail
        self._moto = moto

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event, as ASGI asks."""
        if scope["type"] != "http" or (scope["path"].startswith(_EMULATORS) and not scope["path"].startswith(OURS)):
            await self._emulator(scope, receive, send)
            return
        request = await _read(scope, receive)
        if request.path.startswith(OURS):
            await _send_json(send, *await self._control(request))
            return
        await self._serve(request, scope, receive, send)

    async def _serve(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        credential = request.credential
        # Before the call: afterwards the key may be gone, the trail stopped.
        caller = caller_of(credential.access_key) if credential else None
        operation = operation_of(request)
        if credential and caller:
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            key_uses[credential.access_key] = KeyUse(now, credential.scope, credential.region)
        call = Call.of(request, credential, operation, caller) if credential and operation and caller else None
        listeners = self._trail.listeners(call) if call else []
        checks: list[Check] = []
        checks_of_request.set(checks)
        reply = _Reply(send)
        refused = presigned.refused(request)
        if refused:
            await _send_xml(reply.pass_on, *refused)
        else:
            await self._emulator(scope, _replay(request.body, receive), reply.pass_on)
        answer = reply.answer
        error = answer.error(operation) if operation else None
        calls.append(
            {
                "principal": caller.arn if caller else "",
                "service": operation.service_model.service_name
                if operation
                else (credential.scope if credential else ""),
                "operation": operation.name if operation else f"{request.method} {request.path}",
                "event": event_name(operation) if operation else "",
                "region": credential.region if credential else "",
                "status": answer.status,
                "error": error[0] if error else "",
                "checks": [asdict(check) for check in checks],
                "user_agent": request.headers.get("user-agent", ""),
            }
        )
        if call is not None and listeners:
            self._relay(call, answer, listeners)
        # Only now: whoever has the answer can rely on the call being in the journal.
        await reply.finish()

    def _relay(self, call: Call, answer: Answer, listeners: Sequence[str]) -> None:
        try:
            self._trail.relay(call, answer, listeners)
        except Exception:
            # The caller has had the answer; a record that cannot be built is ours to see in the log.
            log.exception("no record of %s", call.operation.name)

    async def _control(self, request: Request) -> tuple[int, object]:
        what = f"{request.method} {request.path.removeprefix(OURS)}"
        read = {"GET calls": calls, "GET mail": mail}.get(what)
        if read is not None:
            return 200, read.since(int(request.query.get("since", ["0"])[0]))
        asked = json.loads(request.body or b"{}")
        if what == "POST events":
            self._trail.deliver(asked)
            return 202, {}
        if what == "POST root":
            root_user.act(asked, asked.get("from") or request.client, self._trail.deliver_logged)
            return 202, {}
        if what == "POST bill":
            await self._moto.tell(BILL, asked)
            return 200, {}
        if what == "POST held":
            await self._moto.tell(HELD, asked)
            await from_moto.learn_account_block(self._moto, asked["account"])
            return 200, {}
        do = _CONTROLS.get(what)
        if do is not None:
            return 200, do(asked)
        there = ", ".join(sorted([*_ASKING_OTHERS, *_CONTROLS]))
        return 404, {"message": f"{what}: there are {there}"}


def _close_account(asked: Mapping[str, Any]) -> object:
    accounts.close(asked["account"])
    return {}


def _switch_region(asked: Mapping[str, Any]) -> object:
    switch = regions.enable_region if asked["enabled"] else regions.disable_region
    switch(asked["account"], asked["region"])
    return {}


_ASKING_OTHERS = ("GET calls", "GET mail", "POST bill", "POST events", "POST held", "POST root")
_CONTROLS: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "POST accounts/close": _close_account,
    "POST mail/confirm": lambda asked: {"confirmed": mailbox.confirm_all(asked["to"])},
    "POST mail/confirmations": lambda asked: mailbox.confirmations(asked["to"]),
    "POST mail/expire": lambda asked: {"expired": mailbox.expire(asked["to"])},
    "POST mail/unsubscribe": lambda asked: {"unsubscribed": mailbox.unsubscribe_all(asked["to"])},
    "POST regions": _switch_region,
    "POST rules/fire": lambda asked: {"heard": deliveries.fire(asked["account"], asked["region"], asked["rule"])},
}


class _Reply:
    """Keeps an answer while passing it on, but for its last part."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._chunks: list[bytes] = []
        self._last: Message | None = None

    async def pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = _decoded(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._chunks.append(message.get("body", b""))
            if not message.get("more_body", False):
                self._last = message
                return
        await self._send(message)

    async def finish(self) -> None:
        if self._last is not None:
            await self._send(self._last)

    @property
    def answer(self) -> Answer:
        return Answer(self._status, self._headers, b"".join(self._chunks))


async def _read(scope: Scope, receive: Receive) -> Request:
    chunks: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=parse_qs(scope.get("query_string", b"").decode(), keep_blank_values=True),
        headers=_decoded(scope.get("headers", ())),
        body=b"".join(chunks),
        client=(scope.get("client") or ("127.0.0.1",))[0],
    )


def _replay(body: bytes, receive: Receive) -> Receive:
    unread = [body]

    async def replay() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    return replay


def _decoded(headers: Any) -> dict[str, str]:  # noqa: ANN401
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


async def _send_json(send: Send, status: int, value: object) -> None:
    await _send(send, status, json.dumps(value, default=str).encode(), b"application/json")


async def _send_xml(send: Send, status: int, body: bytes) -> None:
    await _send(send, status, body, b"text/xml")


async def _send(send: Send, status: int, body: bytes, kind: bytes) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""Eyes on a virtual clock: every read takes so long, sixteen of them run at once, and nobody waits for it.

What is asked is the drawn account, answered in AWS's formats (`answers/`) and read by botocore's own parsers. While one
target is looked at, its reads follow one another on the clock; targets beside it have times of their own, and begin
when `adapters.accounts.Reader` would begin them: in order, and no more than so many at a time.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from heapq import heappop, heappush
from typing import Any

from botocore.handlers import json_decode_policies
from botocore.parsers import create_parser
from botocore.session import Session

from bench.answers.iam import Iam
from bench.answers.s3 import S3
from bench.answers.wire import Answer
from bench.drawn import REGION, Drawn
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal
from plumbline.core.reach import Reach
from plumbline.core.recorded import Recorded
from plumbline.core.targets import GLOBAL, Target

#: What else the controls of IAM and S3 ask, where there is neither an organisation nor a block of the account's: the
#: answer, or the code of the error.
_BESIDE: Mapping[str, Any] = {
    "organizations": "AWSOrganizationsNotInUseException",
    "s3control": "NoSuchPublicAccessBlockConfiguration",
    "cloudtrail": {"trailList": [], "Events": []},
}
#: Reads in flight where a control foresees what it will ask; see `adapters.accounts.Reader.foresee`.
_AT_ONCE, _FEW = 16, 8
#: How many times as many are in line; see `adapters.accounts.Reader.many`.
_IN_LINE = 4


@dataclass
class Account:
    """The drawn account, asked by botocore's names.

    Attributes:
        drawn: what is in it.
        seconds: what answering took of the bench's own time, and is nobody's.
    """

    drawn: Drawn
    seconds: float = 0.0

    @cached_property
    def _iam(self) -> Iam:
        return Iam(self.drawn)

    @cached_property
    def _s3(self) -> S3:
        return S3(self.drawn)

    @cached_property
    def _models(self) -> Mapping[str, Any]:
        session = Session()
        return {service: session.get_service_model(service) for service in ("iam", "s3")}

    @cached_property
    def _parsers(self) -> Mapping[str, Any]:
        return {"iam": create_parser("query"), "s3": create_parser("rest-xml")}

    def ask(self, call: Call) -> tuple[Any, int]:
        """The answer to a call, and how many pages it has.

        Raises:
            AwsRefusal: the account refuses it.
        """
        began = time.process_time()
        try:
            return self._asked(call)
        finally:
            self.seconds += time.process_time() - began

    def _asked(self, call: Call) -> tuple[Any, int]:
        if call.service in _BESIDE:
            beside = _BESIDE[call.service]
            if isinstance(beside, str) and beside not in call.absent:
                raise AwsRefusal(beside, "bench", call)
            return None if isinstance(beside, str) else beside, 1
        whole: dict[str, Any] = {}
        page = ""
        pages = 0
        while True:
            answer = self._page(call, page)
            pages += 1
            if answer.code:
                if answer.code in call.absent:
                    return None, pages
                raise AwsRefusal(answer.code, "bench", call)
            said = self._parsed(call, answer)
            for name, value in said.items():
                whole[name] = whole[name] + value if isinstance(value, list) and name in whole else value
            page = str(said.get("Marker") or said.get("ContinuationToken") or "")
            if not page:
                return whole, pages

    def _page(self, call: Call, page: str) -> Answer:
        given = dict(_spelled(call.parameters))
        if call.service == "iam":
            return self._iam.answer(call.operation, given | ({"Marker": page} if page else {}))
        listing = {"max-buckets": given["MaxBuckets"]} if "MaxBuckets" in given else {}
        more = {"continuation-token": page} if page else {}
        return self._s3.answer(call.operation, str(call.parameters.get("Bucket", "")), listing | more)

    def _parsed(self, call: Call, answer: Answer) -> dict[str, Any]:
        model = self._models[call.service].operation_model(call.operation)
        response = {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}
        said: dict[str, Any] = self._parsers[call.service].parse(response, model.output_shape)
        if call.service == "iam":
            json_decode_policies(said, model)
        said.pop("ResponseMetadata", None)
        return said


def _spelled(parameters: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Parameters as the query protocol spells them."""
    plain = [(name, str(value)) for name, value in parameters.items() if not isinstance(value, (list, tuple))]
    lists = [(name, value) for name, value in parameters.items() if isinstance(value, (list, tuple))]
    return plain + [(f"{name}.member.{n}", str(one)) for name, value in lists for n, one in enumerate(value, 1)]


@dataclass
class Clock:
    """The time of one function, in seconds since it began."""

    now: float = 0.0


@dataclass(eq=False)
class Eyes:
    """The engine's eyes in one invocation; see ports.Eyes.

    Attributes:
        aws: the account.
        clock: goes on with each read.
        latency: seconds that a read takes.
        asked: counts each question, for a whole sweep.
        most: of the answers that were remembered, the most at a time.
    """

    aws: Account
    clock: Clock
    latency: float
    asked: Counter[str]
    now: datetime
    most: list[int] = field(default_factory=lambda: [0])
    account: str = ""
    region: str = GLOBAL
    home: str = REGION
    stack: str = "plumbline"
    trail: str = ""
    recorded: Recorded = field(default_factory=Recorded)
    reach: Reach = field(default_factory=Reach)
    _answers: dict[str, dict[str, tuple[Any, float]]] = field(default_factory=dict)
    _made: dict[Any, tuple[Any, float]] = field(default_factory=dict)
    _name: str = ""
    _own: dict[str, tuple[Any, float]] = field(default_factory=dict)

    def __call__(self, call: Call, /) -> Any:
        """One read: known already, on its way, or asked now."""
        key = call.key
        mine = bool(self._name) and self._name in call.parameters.values()
        kept = self._own if mine else self._answers.setdefault(call.action.partition(":")[0], {})
        if key not in kept:
            answer, pages = self.aws.ask(call)
            self.asked[key] += call.service not in _BESIDE
            self.asked[""] += pages if call.service not in _BESIDE else 0  # calls in all
            self.clock.now += pages * self.latency
            kept[key] = (answer, self.clock.now)
            self.most[0] = max(self.most[0], sum(map(len, self._answers.values())))
        answer, there = kept[key]
        self.clock.now = max(self.clock.now, there)
        return answer

    def once(self, make: Callable[[Any], Any], /) -> Any:
        """See core.Ask; who asks for what another makes waits for him."""
        if make not in self._made:
            made = make(replace(self, _name="") if self._name else self)
            self._made[make] = (made, self.clock.now)
        made, there = self._made[make]
        self.clock.now = max(self.clock.now, there)
        return made

    def foresee(self, calls: Sequence[Call], /) -> None:
        """See core.Ask."""
        if len(calls) >= _FEW:
            self.many(self, calls, lambda: True, _AT_ONCE)

    def remember(self, services: Container[str], /) -> None:
        """See ports.Eyes."""
        gone = [one for one in self._answers if one not in services]
        for one in gone:
            del self._answers[one]
        if gone:
            self._made.clear()

    def about(self, target: Target, /) -> Eyes:
        """See ports.Eyes."""
        return replace(self, _name=target.id, _own={})

    def many(
        self, work: Callable[[Any], Any], items: Sequence[Any], more: Callable[[], bool], at_once: int
    ) -> list[Any]:
        """See ports.Eyes: in order, each on the lane that is free first, and so many at a time."""
        began = handed_in = self.clock.now
        lanes = [began] * at_once
        ends: list[float] = []
        done = []
        for number, item in enumerate(items):
            before = number - at_once * _IN_LINE
            handed_in = max(handed_in, ends[before] if before >= 0 else began)
            self.clock.now = handed_in
            if not more():
                break
            self.clock.now = max(handed_in, heappop(lanes))
            done.append(work(item))
            ends.append(self.clock.now)
            heappush(lanes, self.clock.now)
        self.clock.now = max(ends, default=began)
        return done

"""`plumbline redrive`: dead letters go back to where they came from, and it is said what they were and whose."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from plumbline.adapters.clients import Clients
from plumbline.adapters.sqs import Queue
from plumbline.core.calls import Call
from plumbline.core.cause import Origin
from plumbline.core.errors import AwsRefusal
from plumbline.core.reach import Reach, Region
from plumbline.handlers.operate.asked import Connections
from plumbline.ports import Message
from plumbline.sweep.units import Unit
from plumbline.wakes.messages import Task, Wake
from tests.fakes import ACCOUNT, LAMP, NOW, House

WAKE = Wake("lamp-off", LAMP, Origin.SWEEP).to_json()
UNIT = Unit(ACCOUNT, "global", ("lamp-off",)).to_json()
STREAM = json.dumps({"requestContext": {}, "DDBStreamBatchInfo": {"batchSize": 3, "shardId": "x"}})
EVENT = json.dumps({"source": "aws.iam", "account": ACCOUNT, "detail-type": "x", "detail": {"eventName": "y"}})
IRELAND, VIRGINIA = "eu-west-1", "us-east-1"
SENDER = "AROAEXAMPLE:plumbline-sweep"


@dataclass
class Dead:
    """A queue of dead letters: ten at a time, as SQS gives them, and some of them twice."""

    bodies: dict[str, str]
    deleted: list[str] = field(default_factory=list)

    def receive(self) -> Sequence[Message]:
        """See asked.DeadLetters."""
        left = [one for one in self.bodies if one not in self.deleted]
        return [Message(one, self.bodies[one], one, SENDER, NOW) for one in left[:10]]

    def delete(self, receipt: str) -> None:
        """See asked.DeadLetters."""
        self.deleted.append(receipt)


@dataclass
class Sent:
    """A queue that remembers, or refuses."""

    bodies: list[str] = field(default_factory=list)
    down: bool = False

    def send(self, bodies: Sequence[str], *, delay: int = 0) -> None:
        """See asked.Outlet."""
        if self.down:
            raise RuntimeError(delay)
        self.bodies += bodies


def _house(*bodies: str) -> tuple[House, Dead, Sent, Sent]:
    dead, wakes, units = Dead({str(number): body for number, body in enumerate(bodies)}), Sent(), Sent()
    return House(connections=Connections(units, wakes=wakes, dead=dead)), dead, wakes, units


def _text(house: House, *words: str) -> str:
    return " ".join(house.type("redrive", *words).text.split())


def test_each_goes_back_to_its_own_queue_and_leaves_the_dead_letters() -> None:
    task = Task.WEEKLY.to_json()
    house, dead, wakes, units = _house(WAKE, UNIT, task, EVENT)
    said = _text(house)
    assert ([WAKE, task, EVENT], [UNIT], ["0", "1", "2", "3"]) == (wakes.bodies, units.bodies, dead.deleted)
    for fact in (
        "Brought back, and tried again within a minute or two: 4.",
        f"a look at {LAMP} for lamp-off; sent by {SENDER}, 2026-03-02 09:30 UTC",
        "a piece of a sweep in global: lamp-off",
        "the task weekly",
        "an event that concerns nothing here any more",
    ):
        assert fact in said


@pytest.mark.parametrize("body", ["{", "null", "7", '{"plumbline-wake": 1}', '{"plumbline-task": "x"}', "x" * 900])
def test_what_nothing_can_be_made_of_stays_until_a_person_throws_it_away(body: str) -> None:
    house, dead, wakes, units = _house(body, WAKE)
    answer = house.type("redrive")
    assert (False, ["1"], [WAKE], []) == (answer.ok, dead.deleted, wakes.bodies, units.bodies)
    assert "Nothing can be made of these, and they are left where they are: 1." in answer.text
    assert "plumbline redrive --drop" in answer.text
    assert house.type("redrive", "--drop").ok
    assert (["1", "0"], [WAKE]) == (dead.deleted, wakes.bodies)


def test_events_that_were_not_announced_are_said_to_be_that() -> None:
    house, *_ = _house(STREAM)
    assert "3 events that were not announced; sent by" in _text(house)


def test_many_are_brought_back_a_hundred_at_a_time() -> None:
    house, dead, wakes, _ = _house(*[WAKE] * 130)
    said = _text(house)
    assert (100, 100) == (len(wakes.bodies), len(dead.deleted))
    assert "and 75 more" in said
    assert said.endswith("There are more. Type: plumbline redrive")
    assert "There are no dead letters." in (_text(house), _text(house))[1]


def test_what_could_not_be_sent_stays_among_the_dead_letters() -> None:
    house, dead, wakes, _ = _house(WAKE)
    wakes.down = True
    with pytest.raises(RuntimeError):
        house.type("redrive")
    assert [] == dead.deleted


def test_without_a_queue_it_says_so() -> None:
    assert "there is no queue for dead letters here" == House().type("redrive").text


def test_hostile_text_in_a_dead_letter_reaches_the_answer_harmless() -> None:
    house, *_ = _house('{"x": "http://evil.example/\u202e"}')
    assert "http://" not in house.type("redrive").text


def _elsewhere(troubles: Mapping[str, str]) -> Reach:
    return Reach(NOW, {IRELAND: Region(NOW, NOW, troubles), VIRGINIA: Region(NOW, NOW, {"silent": ""})})


def test_what_could_not_be_delivered_from_a_region_comes_home_and_is_tried_there() -> None:
    house, dead, wakes, _ = _house()
    there, asked = Dead({"0": EVENT}), []

    def queue(region: str) -> Dead:
        asked.append(region)
        return there

    house.connections = replace(house.connections, undelivered=queue)
    house.reach = _elsewhere({"undelivered": "1 of them"})
    said = _text(house)
    assert ([IRELAND], [EVENT], ["0"], []) == (asked, wakes.bodies, there.deleted, dead.deleted)
    assert f"{SENDER}, 2026-03-02 09:30 UTC, in eu-west-1" in said


def test_where_every_region_delivers_none_is_asked() -> None:
    house, *_ = _house()
    house.connections = replace(house.connections, undelivered=lambda _region: pytest.fail("asked"))
    house.reach = _elsewhere({})
    assert "There are no dead letters." in _text(house)


def test_a_region_that_does_not_answer_keeps_nothing_else_from_being_brought_back() -> None:
    class Denied(Dead):
        def receive(self) -> Sequence[Message]:
            raise AwsRefusal("AccessDenied", "an explicit deny", Call("sqs", "ReceiveMessage"))

    house, _, wakes, _ = _house(WAKE)
    house.connections = replace(house.connections, undelivered=lambda _region: Denied({}))
    house.reach = _elsewhere({"undelivered": "1 of them"})
    answer = house.type("redrive")
    assert (False, [WAKE]) == (answer.ok, wakes.bodies)
    assert (
        "What could not be delivered from these regions cannot be had. eu-west-1: sqs:ReceiveMessage was refused"
        in " ".join(answer.text.split())
    )


@mock_aws  # type: ignore[untyped-decorator]
def test_sqs_tells_who_sent_a_message_and_deletes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    sqs: Any = boto3.client("sqs", region_name="us-east-1")
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=WAKE)
    queue = Queue(Clients("us-east-1", lambda: NOW), url, "us-east-1")
    (letter,) = queue.receive()
    assert (WAKE, True, True) == (letter.body, bool(letter.sender), letter.sent is not None)
    assert [] == list(queue.receive()), "nobody else sees it for a while"
    queue.delete(letter.receipt)
    counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert ("0", "0") == (counted["ApproximateNumberOfMessages"], counted["ApproximateNumberOfMessagesNotVisible"])

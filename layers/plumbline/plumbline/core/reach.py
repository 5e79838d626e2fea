"""Which regions are governed, and how far each of them is heard. Pure.

A region's forwarder puts a sign of life onto the home bus every 25 minutes (template.yaml). The sweep gathers them,
looks whether each forwarder is there, and writes down what it saw, once for all regions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from plumbline.core.clock import utc

#: How often a forwarder gives a sign of life, each of which is paid for, and how many may be missed: one is late now
#: and then.
BEAT, MISSED = timedelta(minutes=25), 2
#: As long as a sign of life may take to arrive, and to be waited for, before it counts as missed.
SLACK = timedelta(minutes=5)
#: Where AWS tells of services without a region, in the one partition whose regions hand events to each other.
GLOBAL_REGION = "us-east-1"
#: Where no event crosses from one region to another.
#: Source: AWS Compute Blog, Expanding cross-Region event routing: not in AWS GovCloud (US), nor in China.
_APART = ("cn-", "us-gov-", "us-iso", "eu-iso", "eusc-")
#: What can be wrong with a region's forwarder: the word that the ledger keeps -> how it reads after the region's name.
TROUBLES: Mapping[str, str] = {
    "coming": "is being given a forwarder",
    "absent": "has no forwarder: what happens there is found by the sweep only",
    "broken": "has a forwarder that CloudFormation could not make or keep",
    "silent": "has given no sign of life for 50 minutes",
    "undelivered": "has events that its forwarder could not deliver; the sweep finds what can be found without them",
    "failing": "has rules of its forwarder that failed within the last hours",
    "covered by denial": "is covered by denial: nobody here can do anything there, and Plumbline cannot either",
    "unseen": "cannot be looked at",
}


def dead_events(account: str, stack: str, region: str) -> str:
    """URL of the queue of what a region's forwarder could not deliver.

    Args:
        account: twelve digits.
        stack: what the names of the stack's resources begin with.
        region: the region; China's have no forwarders, for no event crosses from one to another there.
    """
    return f"https://sqs.{region}.amazonaws.com/{account}/{stack}-dead-events"


@dataclass(frozen=True, slots=True)
class Region:
    """One region, as the last sweep saw it.

    Attributes:
        since: since when it is governed.
        heard: when its forwarder gave its last sign of life; None where it never has.
        troubles: those of `TROUBLES` that it has, each with what AWS said of it, or nothing.
        forwards: whether it is to have a forwarder; the home region needs none.
        governed: whether settings of its own are looked at there; a forwarder alone tells of services without a region.
        tried: when its forwarder was last made anew, where CloudFormation had failed.
    """

    since: datetime
    heard: datetime | None = None
    troubles: Mapping[str, str] = field(default_factory=dict)
    forwards: bool = True
    governed: bool = True
    tried: datetime | None = None

    @property
    def is_denied(self) -> bool:
        """Whether nobody can do anything there, so that there is nothing to look at."""
        return "covered by denial" in self.troubles

    def is_silent(self, now: datetime) -> bool:
        """Whether more signs of life were missed than get lost now and then."""
        return self.forwards and now - max(filter(None, (self.heard, self.since))) > BEAT * MISSED + SLACK

    def hearing(self, sign: datetime | None, now: datetime) -> Region:
        """The region once its last sign of life has come: an older one is none, nor is one that has yet to be given.

        Whoever could make one up would let a dead forwarder live until then.
        """
        if sign is None or sign > now + SLACK or (self.heard is not None and sign < self.heard):
            return self
        return replace(self, heard=sign)

    def to_json(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {
            "since": self.since.isoformat(),
            "heard": self.heard.isoformat() if self.heard else None,
            "troubles": dict(self.troubles),
            "forwards": self.forwards,
            "governed": self.governed,
            "tried": self.tried.isoformat() if self.tried else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Region:
        """The region that `to_json` wrote."""
        return cls(
            utc(data["since"]),
            utc(data["heard"]) if data["heard"] else None,
            data["troubles"],
            bool(data["forwards"]),
            bool(data["governed"]),
            utc(data["tried"]) if data["tried"] else None,
        )


@dataclass(frozen=True, slots=True)
class Reach:
    """All regions, as the last sweep saw them.

    Attributes:
        at: when; None where none has.
        regions: by name.
    """

    at: datetime | None = None
    regions: Mapping[str, Region] = field(default_factory=dict)

    @property
    def swept(self) -> tuple[str, ...]:
        """Where the settings that each region has of its own are looked at; empty where nobody has looked yet."""
        return tuple(name for name, one in sorted(self.regions.items()) if one.governed and not one.is_denied)

    def hears(self, region: str) -> bool:
        """Whether what happens in a region arrives at home: its forwarder is whole, and gives signs of life."""
        one = self.regions.get(region)
        return one is not None and one.forwards and not one.troubles.keys() - {"undelivered"}

    @property
    def forwarding(self) -> tuple[str, ...]:
        """Where a forwarder stands as CloudFormation made it, and can be looked at."""
        unlike = {"coming", "absent", "broken", "covered by denial", "unseen"}
        return tuple(
            name for name, one in sorted(self.regions.items()) if one.forwards and not unlike & one.troubles.keys()
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {
            "at": self.at.isoformat() if self.at else None,
            "regions": {name: one.to_json() for name, one in self.regions.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Reach:
        """The reach that `to_json` wrote."""
        regions = {name: Region.from_json(one) for name, one in data["regions"].items()}
        return cls(utc(data["at"]) if data["at"] else None, regions)


def forwarding(home: str, names: Iterable[str], usable: Iterable[str]) -> set[str]:
    """The regions that are to have a forwarder; see functions/names, which says the same to CloudFormation.

    Args:
        home: the region that Plumbline is deployed in.
        names: those that are governed.
        usable: those that the account has switched on.
    """
    return set() if home.startswith(_APART) else ({*names, GLOBAL_REGION} & {*usable}) - {home}


def governed(before: Reach, names: Iterable[str], forwarding: Iterable[str], now: datetime) -> dict[str, Region]:
    """The regions that there are now, with what is known of them from before.

    Args:
        before: what was seen last.
        names: those that are governed.
        forwarding: those that are to have a forwarder.
        now: the time, in UTC.
    """
    inside, forwards = {*names}, {*forwarding}
    return {
        name: replace(
            before.regions.get(name, Region(now)), forwards=name in forwards, governed=name in inside, troubles={}
        )
        for name in sorted(inside | forwards)
    }


def news(before: Reach, now: Reach) -> list[tuple[str, str, str]]:
    """What is wrong now and was not before: region, trouble, and what AWS said. What is on its way is not wrong."""
    return [
        (name, trouble, said)
        for name, one in now.regions.items()
        for trouble, said in one.troubles.items()
        if trouble != "coming"
        if name not in before.regions or trouble not in before.regions[name].troubles
    ]


def opened(before: Reach, now: Reach) -> list[str]:
    """The regions that are governed now and were not before; none where nobody had looked before."""
    if before.at is None:
        return []
    old = {name for name, one in before.regions.items() if one.governed}
    return [name for name, one in now.regions.items() if one.governed and name not in old]

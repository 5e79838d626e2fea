"""An attack as data: who, with which rights, does what, and how it must end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.attacks.stage import Stage


class Way(Enum):
    """How the owner hears: in words, by which topic, and within how long, CloudTrail's own delay aside."""

    TRIPWIRE = ("a tripwire's mail, which needs no code of Plumbline's", "watchdog", "60 s")
    ELSEWHERE = ("a tripwire's mail from another region, which needs no code of Plumbline's", "watchdog", "60 s")
    LOOK = ("the look that a tripwire of another region starts", "alerts", "60 s")
    EVENT = ("the alert that the event leads to", "alerts", "60 s")
    STACK = ("the mail about a change of the stack", "watchdog", "60 s")
    HOUSE = ("the house look of every ten minutes", "", "11 min")
    SWEEP = ("the hourly sweep", "", "70 min")
    ALARM = ("an alarm of CloudWatch's", "watchdog", "3 h 10 min")

    def __init__(self, words: str, topic: str, within: str) -> None:
        self.words = words
        #: The topic's last word; empty where either may tell.
        self.topic = topic
        self.within = within


@dataclass(frozen=True, slots=True)
class Attacker:
    """Somebody with some rights.

    Attributes:
        name: the user's name, or the role's.
        rights: what he may do, for a reader.
        policies: names of AWS's own policies, with their real documents.
        allowed: actions allowed in a policy of the account's own.
        within: on which resources they are, as a pattern of ARNs.
        passes: whose roles he may pass, as a pattern of ARNs; none where empty.
        before: was there before Plumbline: what the guard is to him is proposed, and a person decides.
        identity_center: a role that only Identity Center can change, so that nothing can be attached to it.
        full: carries as many policies as AWS takes, so that one more cannot be attached.
        trusted: the baseline names him as an administrator or a deployer, so that no guard is meant for him.
    """

    name: str
    rights: str
    policies: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    within: str = "*"
    passes: str = ""
    before: bool = False
    identity_center: bool = False
    full: bool = False
    trusted: bool = False

    @property
    def described(self) -> str:
        """The rights, and what is special about who holds them."""
        special = {
            "there before Plumbline, guard proposed": self.before,
            "a permission set of Identity Center": self.identity_center,
            "as many policies as AWS takes": self.full,
        }
        said = [words for words, holds in special.items() if holds]
        return f"{self.rights} ({', '.join(said)})" if said else self.rights


@dataclass(frozen=True, slots=True)
class Blow:
    """One call, as boto3 takes it. `<...>` in its texts stands for what `Stage.named` knows.

    Attributes:
        service: boto3's name of the service.
        operation: the client's method.
        parameters: its arguments.
        region: where it is called, and where what its names stand for is; the home region where it is empty.
        tears_down: nothing would be left to play the other stories with, so it is made only where IAM's simulator says
            that it is refused; where it says otherwise, it counts as made, and nobody was told.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str = ""
    tears_down: bool = False


@dataclass(frozen=True, slots=True)
class Deed:
    """What is no single call: a script, a link that is clicked."""

    words: str
    do: Callable[[Stage, Attacker], Any]


@dataclass(frozen=True, slots=True)
class Prevented:
    """AWS, or Plumbline's own answer, refused every call, and nothing has changed.

    Attributes:
        by: what refused, for a reader.
    """

    by: str


@dataclass(frozen=True, slots=True)
class Told:
    """The owner hears, by a way that these rights cannot silence.

    Attributes:
        way: how.
        says: what the e-mail has to name: patterns, each of which its subject or text must hold.
        mended: whether all is as it was when he has heard.
    """

    way: Way
    says: tuple[str, ...]
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """Nothing holds it. So whoever could do it is a critical finding, and that was told when it was seen.

    Attributes:
        because: why nothing can.
        told: how the owner hears all the same, where the attacker does not silence it first.
    """

    because: str
    told: Told | None = None


Verdict = Prevented | Told | Open


@dataclass(frozen=True, slots=True)
class Attack:
    """A story.

    Attributes:
        name: a sentence, unique.
        who: the attacker.
        blows: what he does, in order.
        verdict: how it must end.
        before: what an administrator makes first, so that there is something to attack.
        check: more that must hold at the end: raises where it does not.
    """

    name: str
    who: Attacker
    blows: tuple[Blow | Deed, ...]
    verdict: Verdict
    before: tuple[Blow | Deed, ...] = ()
    check: Callable[[Stage], None] | None = field(default=None, compare=False)


def blow(service: str, operation: str, /, *, region: str = "", **parameters: Any) -> Blow:
    """A call that changes something, in the home region or another."""
    return Blow(service, operation, parameters, region)


def tearing_down(service: str, operation: str, /, *, region: str = "", **parameters: Any) -> Blow:
    """A call after which there would be nothing left to attack."""
    return Blow(service, operation, parameters, region, tears_down=True)


def document(*statements: Mapping[str, Any]) -> str:
    """A policy's text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


EVERYTHING = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
STRANGER = "999988887777"
#: Where other regions are attacked; where an account has to opt in; and one that the baseline leaves out.
ELSEWHERE, OPTED_IN, LEFT_OUT = "eu-central-1", "ap-east-1", "eu-west-2"

"""A rule of the baseline as one frozen value, and the words it is written in.

Everything that decides (controls, clocks, the engine's order of work) is written in the nouns of this room, so that it
can be tested with plain data. Nothing here reads a clock, an environment variable or the network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from plumbline.core.calls import Ask, Call, Mended, Plan
from plumbline.core.cause import Event
from plumbline.core.clock import CANNOT_BE_LOOKED_AT, UNSEEN, Clock, Response
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import State, Target

Settings = Mapping[str, Any]
#: What a control finds among its settings of what the baseline says elsewhere, and nobody writes there: whom the whole
#: baseline names, and settings of other controls. See `Control.people`, `Control.elsewhere`.
PEOPLE, ELSEWHERE = "people", "elsewhere"


def said_elsewhere(settings: Settings, control: str, name: str) -> Any:  # noqa: ANN401 - a list or a mapping
    """What another control's setting says; nothing where it is off, or there is none.

    Args:
        settings: of a control that asks for it by `Control.elsewhere`.
        control: the other one.
        name: of its setting.
    """
    return settings.get(ELSEWHERE, {}).get(control, {}).get(name) or ()


class Severity(str, Enum):
    """How bad a deviation is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the worst, so that sorting puts it first."""
        return list(Severity).index(self)


class Scope(str, Enum):
    """Where the sweep looks for a control's targets."""

    GLOBAL = "global"  # once per account
    HOME = "home"  # once per account, in the region Plumbline is deployed in
    BILLING = "us-east-1"  # once per account, in the region that carries AWS/Billing
    EACH = "each"  # in every region the baseline names


class Looks(str, Enum):
    """Which sweeps look, where AWS charges for the reads of a control, and its events wake it at once."""

    EACH_SWEEP = "each sweep"
    DAILY = "once a day"
    WEEKLY = "once a week"


@dataclass(frozen=True, slots=True)
class Deviation:
    """What is wrong with a target.

    Attributes:
        summary: what is wrong, as it reads after the target's name: "is public: anyone may list it".
        items: the single facts that are wrong, such as policy names. Adoption's grace covers the facts it found;
            a new fact on the same target is a new deviation.
        clock: which of the control's clocks runs; `default` unless the control tells kinds of deviation apart.
    """

    summary: str
    items: tuple[str, ...] = ()
    clock: str = "default"


#: EventBridge's `detail-type` of a sign-in, as its events have it and as its user guide writes it.
#: Source: EventBridge user guide, AWS service events delivered via AWS CloudTrail; AWS Sign-In user guide, events.
SIGN_IN = ("AWS Console Sign In via CloudTrail", "AWS Console Signin via CloudTrail")


def spellings(detail_type: str) -> tuple[str, ...]:
    """All that a `detail-type` may be spelt like, the given one among them."""
    return SIGN_IN if detail_type in SIGN_IN else (detail_type,)


def is_of_trail(detail_type: str) -> bool:
    """Whether events of a `detail-type` carry a record of CloudTrail: a call, or a sign-in."""
    return detail_type.endswith("via CloudTrail")


@dataclass(frozen=True, slots=True)
class On:
    """An event that wakes a control: a record of CloudTrail, or what an AWS service puts onto EventBridge itself.

    Attributes:
        source: `eventSource`, such as `iam.amazonaws.com`; EventBridge's own `source`, such as `aws.access-analyzer`,
            where CloudTrail has no part in it.
        names: event names as CloudTrail writes them (not always the API's). Empty: any, told apart by `match`.
        locate: event detail -> the targets to look at. It must not judge. A target whose id is `*` makes the whole
            control look, for events that leave out what they were about.
        detail_type: EventBridge's `detail-type`, in one of its `spellings`.
        match: further fields of the event pattern's `detail`.
        reads_too: whether read-only calls wake as well (needs a rule state of its own).
        failed_too: whether calls that AWS refused wake as well. They changed nothing, so this is for a control to which
            trying is doing.
    """

    source: str
    names: tuple[str, ...]
    locate: Callable[[Event], Iterable[Target]]
    detail_type: str = "AWS API Call via CloudTrail"
    match: Mapping[str, Any] = field(default_factory=dict)
    reads_too: bool = False
    failed_too: bool = False


#: The headings of a control's documentation.
SECTIONS = ("Holds", "Why", "Repair", "Undo", "Source")
_SECTION = re.compile(rf"^({'|'.join(SECTIONS)}):[ \n]", re.MULTILINE)


class _Every:
    """A set of facts that has them all."""

    def __contains__(self, _fact: object) -> bool:
        return True


#: Every fact of a deviation, whatever it is.
EVERY: Container[str] = _Every()


Find = Callable[[Ask], Iterable[Target]]


Observe = Callable[[Ask, Target], State]


Detect = Callable[[State, Settings], Deviation | None]


Part = Callable[[State, Plan], State]


Spell = Callable[[Target, State], Target]
Mend = Callable[[Call, AwsRefusal], Sequence[Mended]]
Announces = Callable[[Ask, Event, State, Settings], str]


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long what a sweep saw of something holds, whatever is done to that meanwhile; see sweep/lasting.py.

    Attributes:
        who: ask -> what `find` gives, each with what no renaming changes, such as a user's unique id.
        until: states of one of these, settings, when it was looked at -> when it may deviate at the earliest. Pure.
    """

    who: Callable[[Ask], Mapping[Target, str]]
    until: Callable[[Iterable[State], Settings, datetime], datetime]


class MakePlan(Protocol):
    """Computes a repair."""

    def __call__(self, target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
        """The repair of one deviation.

        Args:
            target: what deviates.
            state: how it was observed just now.
            settings: the control's, from the baseline.
            facts: the deviation's `items` that may be repaired now; others are in adoption's grace. A control whose
                facts are one write of one value repairs them all together.
        """


def no_plan(_target: Target, _state: State, _settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """The plan of a control that only tells."""
    return Plan(refusal="there is no API that repairs this; a person has to")


def whole(state: State, _plan: Plan) -> State:
    """All of a state: what a repair is about where a target is one thing."""
    return state


def as_asked(target: Target, _state: State) -> Target:
    """The target as it was asked for: names that AWS tells apart by case have one spelling."""
    return target


@dataclass(frozen=True, slots=True, repr=False)
class Control:
    """One rule of the baseline, in one file. Its module's docstring is its documentation.

    Attributes:
        id: the file's name in kebab-case; reads well after "exempt".
        severity: how bad a deviation is.
        response: what is done about one, unless the baseline says otherwise.
        clocks: `default`, and others by the name a `Deviation` gives or `found-by-sweep` (a deviation no event
            announced). baseline.yaml overrides each.
        scope: where the sweep looks.
        kinds: the kinds of its targets.
        wakes_on: the events that make Plumbline look at once.
        reads: IAM actions that find and observe need, no more.
        writes: IAM actions that plans need, undo included, no more.
        noun: what one target is called in an e-mail, such as "bucket {id}"; `{kind}` is the last word of its kind,
            `{first}` and `{last}` are the parts of an id with a slash.
        detect: state, settings -> what is wrong, or None. Pure.
        describe: state -> what it is now, in a few plain words; stands in e-mails as before and after. Pure.
        plan: target, state, settings, facts -> the repair of those facts. Pure.
        part: state, plan -> what of the state that repair is about: an undo asks whether this is still as it was left.
            For targets whose state tells of more, such as other resources of the account. Pure.
        spell: target, state -> the target as AWS itself spells it, where a call may write a name in another case. That
            is what the ledger keeps, and what is written. Pure.
        mend: a refused write, AWS's refusal -> that write without what AWS refuses in it, such as a principal that was
            deleted; several where AWS does not say which it is, each without another. The first that AWS takes is the
            one. For repairs and undos that write a whole document back: what of it is dead must not keep the rest from
            being written. Pure.
        find: ask -> the targets of a sweep, read in bulk.
        observe: ask, target -> the fresh state of one target.
        survey: ask -> the same states for all targets, where bulk reads give them; used instead of find + observe.
        glance: ask, what `find` gives -> the same states of that, by bulk reads as far as they tell, and asked for as
            far as they do not; used by whoever looks at all of them instead of observe. A pattern that `find` gives,
            such as all keys of a user, stands for what only one more read can tell. Several run at a time.
        lasting: how long what a sweep saw holds, so that it need not look again before; with `glance`.
        witness: for controls that events alone can tell about: event detail -> state. There is nothing to observe.
        announces: ask, event detail, state, settings -> what the event brought about against this rule and the state
            shows no more, as it reads after the target's name: "was given policy AdministratorAccess". Empty where it
            did not. It serves to tell of what came and went before anybody looked; nothing is judged by it, or
            repaired.
        settings: JSON Schema of each setting, with `default` and `description`.
        people: whether it judges by whom the baseline names elsewhere too: then `people` among its settings has
            `administrators`, `operators` and `deployers`. No change of theirs makes its findings new ones.
        elsewhere: control -> settings of it that this one judges by as well: then `elsewhere` among its own settings
            has them, by control and name, unless that control is off or there is none. No change of theirs makes its
            findings new ones.
        clashes: settings of every enforced control, by id -> what of this control's own another one would take back:
            the path of the setting, and what to write instead. Asked when the baseline is built.
        follows: whether what is right changes with what people do every day, such as who is in which group, so that to
            repair a target often is no fight yet.
        blinds: its deviation blinds Plumbline, so the sweep checks it before all others.
        house: it watches Plumbline's own parts; its repairs are made by the house hands, those of the sweep's function.
        needs: the setting without which it is off, for only whoever writes it knows its value; empty for none.
        yourself: what the person whose user a target is does about it, in the console's own words; stands in the letter
            to that person. Empty where only others can do something.
        looks: which sweeps look: not every one, where AWS charges for its reads, and its events tell of every change.
        held_by: error codes of a refused write that tell of a policy from above the account, such as an organisation's.
            Such a write is not tried again: no account may change what is held from above.
        excepted: whether the settings leave a target alone by its name, whatever its state is: then nobody has to know
            that it cannot be looked at either.
        by_name: whether what `excepted` leaves alone is in line for sure: then no event about it makes anybody look.
            Not where a state may deviate all the same, or where only a look tells whom a name stands for, as of a role
            in another path.
        aliases: its earlier ids, so that findings, exemptions, undo and baseline files survive a renaming.
        answers: source -> the items of it that this control holds, such as `{"cis-7.0": ("2.8",)}`; see sources/.
        since: the version that brought it.
        doc: its documentation, its module's docstring: a title, then a paragraph under each of `SECTIONS`.
    """

    id: str
    severity: Severity
    response: Response
    clocks: Mapping[str, Clock]
    scope: Scope
    kinds: tuple[str, ...]
    wakes_on: tuple[On, ...]
    reads: frozenset[str]
    writes: frozenset[str]
    noun: str
    detect: Detect
    describe: Callable[[State], str]
    plan: MakePlan = no_plan
    part: Part = whole
    spell: Spell = as_asked
    mend: Mend | None = None
    find: Find | None = None
    observe: Observe | None = None
    survey: Callable[[Ask], Mapping[Target, State]] | None = None
    glance: Callable[[Ask, Target], Mapping[Target, State]] | None = None
    lasting: Lasting | None = None
    witness: Callable[[Event], State] | None = None
    announces: Announces | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    people: bool = False
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    clashes: Callable[[Mapping[str, Settings]], Iterable[tuple[Sequence[str], str]]] | None = None
    follows: bool = False
    blinds: bool = False
    house: bool = False
    needs: str = ""
    yourself: str = ""
    looks: Looks = Looks.EACH_SWEEP
    held_by: frozenset[str] = frozenset()
    excepted: Callable[[Target, Settings], bool] | None = None
    by_name: bool = False
    aliases: tuple[str, ...] = ()
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: str = ""
    doc: str = ""

    def __repr__(self) -> str:
        return f"Control({self.id})"

    @property
    def prose(self) -> Mapping[str, str]:
        """Its documentation by heading: `Title`, then those of `SECTIONS`; one paragraph each."""
        title, *rest = _SECTION.split(self.doc.strip())
        return {"Title": " ".join(title.split())} | {
            name: _sentence(text) for name, text in zip(rest[::2], rest[1::2], strict=True)
        }

    @property
    def every_clock(self) -> Mapping[str, Clock]:
        """Its clocks, and the one of what cannot be looked at, which each control has that looks at anything."""
        return self.clocks if self.witness else {**self.clocks, UNSEEN: self.clocks.get(UNSEEN, CANNOT_BE_LOOKED_AT)}

    def name(self, target: Target) -> str:
        """The target as a person would call it."""
        if target.is_pattern:  # what stands for a list that could not be had
            return f"what {self.id} watches" + (f" in {target.region}" if self.scope is Scope.EACH else "")
        first, _, last = target.id.partition("/")
        return self.noun.format(
            id=target.id, region=target.region, kind=target.kind.rpartition("-")[2], first=first, last=last or first
        )


def _sentence(text: str) -> str:
    plain = " ".join(text.split())
    return plain[:1].upper() + plain[1:]

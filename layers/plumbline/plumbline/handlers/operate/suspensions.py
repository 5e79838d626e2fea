"""Commands that keep somebody from doing anything, and that let him go on: suspend, release."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from plumbline.alerts import suspensions as alerts
from plumbline.alerts import wording
from plumbline.alerts.shell import by_aws_cli, pasted, spelled
from plumbline.controls.iam._entitled import ADMINISTRATORS
from plumbline.controls.iam._last import last_way_in
from plumbline.core import people
from plumbline.core.calls import Call
from plumbline.core.clock import NEVER, Response
from plumbline.core.control import Control, Scope, Severity
from plumbline.core.errors import AwsRefusal
from plumbline.core.names import among, fits
from plumbline.core.targets import GLOBAL, Target
from plumbline.decisions.suspensions import ASKED_AFTER, ID_BEGINS, LONGEST_SESSION, REVOKES, Suspension, suspension_id
from plumbline.findings.finding import spoken
from plumbline.findings.tickets import TICKET_FOR
from plumbline.handlers.operate import held as by_controls
from plumbline.handlers.operate import operators
from plumbline.handlers.operate.asked import Answer, Asked, Refused, finding_of
from plumbline.handlers.operate.lists import paragraphs, table, wrapped
from plumbline.handlers.operate.pages import some
from plumbline.handlers.operate.typed import Typed, text_of, until_of

EXAMPLE = "suspend 7F3K --reason 'made himself a key at night'"
_RELEASE = "release S7F3K"
#: The longest until it is asked about, in days.
_MOST_DAYS = 90
_ADMINISTRATORS = "iam-admin-grants"
_ARN = re.compile(
    r"arn:aws[\w-]*:(?:iam|sts)::(?P<account>\d{12}):"
    r"(?:(?P<root>root)|user/(?:[!-~]+/)?(?P<user>[\w+=,.@-]+)"
    r"|role/(?:[!-~]+/)?(?P<role>[\w+=,.@-]+)|assumed-role/(?P<session>[\w+=,.@-]+)/.*)"
)
_SHORT = re.compile(r"(?P<kind>user|role)/(?:[!-~]+/)?(?P<name>[\w+=,.@-]+)")
#: Whatever holds the hands of these two commands may make these calls, and `core.giving` on which policy.
_CONTROL = Control(
    id="suspension",
    severity=Severity.CRITICAL,
    response=Response.ALERT,
    clocks={"default": NEVER},
    scope=Scope.GLOBAL,
    kinds=("iam-user", "iam-role"),
    wakes_on=(),
    reads=frozenset(),
    writes=frozenset(
        {
            "iam:AttachRolePolicy",
            "iam:AttachUserPolicy",
            "iam:DeleteRolePolicy",
            "iam:DetachRolePolicy",
            "iam:DetachUserPolicy",
        }
    ),
    noun="{kind} {id}",
    detect=lambda _state, _settings: None,
    describe=str,
)


def suspend(asked: Asked, typed: Typed) -> Answer:
    """Keep a user or a role from doing anything, until a person releases it."""
    reason, until = text_of(typed, "reason"), asked.now + ASKED_AFTER
    if any(name in typed.options for name in ("days", "until")):
        until = until_of(asked, typed, most_days=_MOST_DAYS, setting="a suspension is asked about in time")
    before, version = asked.plumbline.ledger.all_suspensions(asked.account)
    arn, finding = _meant(asked, typed.word, before)
    known = next((one for one in before if one.arn == arn), None)
    made = (
        replace(known, reason=reason, by=asked.by, until=until, stage="attaching")
        if known
        else Suspension(suspension_id(arn, asked.now), arn, reason, asked.by, asked.now, until, finding=finding)
    )
    ends = made.ends_sessions()
    made = replace(made, ticket=suspension_id(made.id, asked.now) if ends else "")
    others = [one for one in before if one.arn != arn]
    version = _saved(asked, (*others, made), version)
    try:
        _act(asked, made, made.attaches(by_controls.policy_of(asked, made.arn)))
    except AwsRefusal as error:
        _saved(asked, (*others, *([known] if known else [])), version)
        raise Refused(_not_suspended(made, error)) from error
    held = replace(made, stage="suspended")
    _saved(asked, (*others, held), version)
    trouble = asked.tell(alerts.suspended(held, asked.plumbline.engine.deployment.sender))
    facts = {"Who": arn, "Reason": reason, "Asked again": wording.moment(until)}
    lead = f"Suspended as {held.id}: {held.kind} {held.name} may do nothing from now on, nor may its sessions and keys."
    end = f"To let it act again, type: {pasted('release', held.id)}"
    data = {"suspension": held.to_json()}
    if ends is None:
        return Answer(paragraphs(f"{lead}\n{table(facts)}", end, trouble), data)
    return _handed(asked, held, ends, paragraphs(f"{lead}\n{table(facts)}", end, trouble))


def done(asked: Asked, typed: Typed) -> Answer | None:
    """What a person says of a role's sessions that he has ended; None where his words are about something else."""
    before, version = asked.plumbline.ledger.all_suspensions(asked.account)
    number, ticket = spoken(typed.words[0]), spoken(typed.words[1])
    mine = next((one for one in before if one.id == number and one.ticket and one.ticket == ticket), None)
    if mine is None:
        return None
    _saved(asked, [replace(one, ticket="") if one is mine else one for one in before], version)
    if typed.options.get("failed", "0") != "0":
        return Answer(
            f"AWS refused you to end the sessions of role {mine.name}. They can do nothing while it is suspended; once "
            f"it is released within {_hours(LONGEST_SESSION)}, they can again.",
            {"suspension": mine.to_json()},
            ok=False,
        )
    return Answer(f"Done: no session of role {mine.name} from before is good any more.", {"suspension": mine.to_json()})


def release(asked: Asked, typed: Typed) -> Answer:
    """Let somebody who is suspended act again."""
    before, version = asked.plumbline.ledger.all_suspensions(asked.account)
    mine = _suspended(asked, typed.word, before)
    others = [one for one in before if one is not mine]
    version = _saved(asked, (*others, replace(mine, stage="releasing")), version)
    keeps = by_controls.by_control(asked, mine.arn)
    try:
        if keeps is None:
            _act(asked, mine, mine.detaches(by_controls.policy_of(asked, mine.arn)))
    except AwsRefusal as error:
        raise Refused(
            f"AWS refused to take the suspension from {mine.kind} {mine.name}: {error}. Nothing has changed for it. "
            f"Type the same again, or: {by_aws_cli(mine.detaches(by_controls.policy_of(asked, mine.arn)))}"
        ) from error
    _saved(asked, others, version)
    left = by_controls.still(keeps, mine.name)
    trouble = asked.tell(alerts.released(mine, asked.by, asked.plumbline.engine.deployment.sender, left=left))
    text = f"Released: {mine.kind} {mine.name} may do again what its other policies say."
    if left:
        text = f"{mine.id} is off the list, and nothing else has changed. {left}"
    return Answer(paragraphs(text, _sessions(asked, mine), trouble), {"released": mine.to_json(), "left": left})


def _sessions(asked: Asked, mine: Suspension) -> str:
    """What is left of ending a role's sessions: where all of them are over, it is taken away as well."""
    ends = mine.ends_sessions()
    if ends is None:
        return ""
    named = {"RoleName": mine.name, "PolicyName": REVOKES}
    call = Call("iam", "DeleteRolePolicy", named, absent=("NoSuchEntity",))
    if asked.now - mine.made < LONGEST_SESSION:
        left = f"Sessions from before the suspension stay dead, by the inline policy {REVOKES}, if you have ended them."
        return f"{left} In {_hours(LONGEST_SESSION)} it can go: {by_aws_cli(call)}"
    try:
        _act(asked, mine, call)
    except AwsRefusal as error:
        return f"The inline policy {REVOKES}, by which its old sessions were ended, could not be taken away: {error}"
    return ""


def _meant(asked: Asked, text: str, known: Sequence[Suspension]) -> tuple[str, str]:
    """The ARN of the user or role that a person means, with the id of the finding that names him; never one too many.

    Raises:
        Refused: it is nobody, or nobody who may be suspended; says what to do instead.
    """
    finding, arn = "", text
    again = next((one for one in known if one.id == spoken(text)), None)
    if again is not None:
        arn = again.arn
    elif not text.startswith("arn:") and not _SHORT.fullmatch(text):
        found = finding_of(asked, text)
        finding, arn = found.id, found.cause.actor
        if not arn:
            raise Refused(
                f"no event says who brought {found.short} about, or an AWS service did. Name a user or a role, such as "
                "user/mallory"
            )
    kind, name = _split(asked, arn)
    ask = asked.plumbline.engine.aws.eyes(asked.account, GLOBAL)
    spelled_kind = kind.capitalize()
    found_it = ask(Call("iam", f"Get{spelled_kind}", {f"{spelled_kind}Name": name}, absent=("NoSuchEntity",)))
    if found_it is not None:
        _not_reserved(asked, str(found_it[spelled_kind]["Arn"]).partition(f":{kind}/")[2])
    who = operators.principal(ask, spelled_kind, name) if found_it is not None else None
    if who is None:
        raise Refused(f"IAM knows no {kind} {wording.clean(name, 64)}, so there is nobody to suspend")
    _may_be_suspended(asked, kind, who)
    _somebody_is_left(asked, kind, who.itself.arn, [one.arn for one in known])
    return who.itself.arn, finding


def _split(asked: Asked, arn: str) -> tuple[str, str]:
    short = _SHORT.fullmatch(arn)
    if short:
        return short["kind"], short["name"]
    found = _ARN.fullmatch(arn)
    if found is None:
        raise Refused(f"'{wording.clean(arn, 120)}' is neither a user nor a role, so no policy can be attached to it")
    if found["account"] != asked.account:
        raise Refused(
            f"it is of account {found['account']}, whose owner may suspend it. Here, take away what lets it in: the "
            "statement of a role's trust policy, or of a resource's, that names it"
        )
    if found["root"]:
        raise Refused(
            "no policy of the account binds its root user. Change its password and its e-mail's, and delete its access "
            "keys, in the console; an organisation can deny it everything by a service control policy"
        )
    return ("user", found["user"]) if found["user"] else ("role", found["role"] or found["session"])


def _not_reserved(asked: Asked, path: str) -> None:
    """Raise Refused where IAM keeps a role from everybody, or where it is Plumbline's own.

    Args:
        asked: whose Plumbline.
        path: of the user or role, with its name.
    """
    if path.startswith("aws-reserved/"):
        raise Refused(
            "Identity Center keeps this role, and nobody else may change it. Disable the user there (Users, the user, "
            "Disable user access), and delete his active sessions on the same page"
        )
    if path.startswith("aws-service-role/"):
        raise Refused("only an AWS service uses this role, and nobody else may change it. Switch off what uses it")
    if path.startswith(f"plumbline/{asked.plumbline.engine.deployment.sender.stack}-"):
        raise Refused("this is a role of Plumbline itself. To stop what it repairs, type: plumbline pause")


def _may_be_suspended(asked: Asked, kind: str, who: operators.Read) -> None:
    """Raise Refused where somebody would be locked out who must not be."""
    itself, baseline = who.itself, asked.plumbline.engine.baseline
    path = itself.arn.partition(f":{kind}/")[2]
    if _is(asked.by, kind, itself.name):
        raise Refused("this is you, and you could not release yourself")
    named = people.of_account(baseline.operators, asked.account)
    if named and people.named(itself.arn, named):
        raise Refused(
            f"`operators` in baseline.yaml names this {kind}. Take it out there and deploy, so that somebody else is "
            "left who may release it; until then deactivate its keys and delete its password in IAM"
        )
    if _ADMINISTRATORS in baseline.rules and _is_named(baseline.rules[_ADMINISTRATORS].settings, kind, path, who):
        raise Refused(
            f"the baseline names this {kind} as an administrator, and the last way in must stay. Take it out of "
            f"{_ADMINISTRATORS} and deploy; until then deactivate its keys and delete its password in IAM"
        )


def _somebody_is_left(asked: Asked, kind: str, arn: str, suspended: Sequence[str]) -> None:
    """Raise Refused where nobody else could come in as an administrator, whoever could now."""
    rules = asked.plumbline.engine.baseline.rules
    named = rules[_ADMINISTRATORS].settings.get("administrators") if _ADMINISTRATORS in rules else None
    ask = asked.plumbline.engine.aws.eyes(asked.account, GLOBAL)
    try:
        why = last_way_in(ask, arn, named or ADMINISTRATORS, suspended)
    except AwsRefusal as error:
        raise Refused(
            f"who else could come in as an administrator cannot be seen, so nothing was done: {error}"
        ) from error
    if why:
        raise Refused(f"this {kind} may be the last way in: {why}. Until then deactivate its keys in IAM")


def _is_named(settings: Mapping[str, object], kind: str, path: str, who: operators.Read) -> bool:
    """Whether the baseline's administrators name somebody, or where they name no users, a group of his."""
    named = settings.get("administrators")
    lists: Mapping[str, Sequence[str]] = named if isinstance(named, Mapping) else {}
    if kind == "role":
        return fits(path, lists.get("roles", ()))
    users, groups = lists.get("users", ()), [one.rpartition("/")[2] for one in who.itself.groups]
    return among(who.itself.name, users) or (not users and any(among(one, lists.get("groups", ())) for one in groups))


def _is(arn: str, kind: str, name: str) -> bool:
    """Whether the ARN of a caller is that of a user, or of a session of a role."""
    resource = arn.split(":", 5)[-1]
    if kind == "role":
        return resource.startswith(f"assumed-role/{name}/")
    return resource.startswith("user/") and resource.rpartition("/")[2] == name


def _suspended(asked: Asked, text: str, known: Sequence[Suspension]) -> Suspension:
    typed = text.rpartition("/")[2]
    found = [one for one in known if spoken(text) == one.id or text == one.arn or typed == one.name]
    if len(found) == 1:
        return found[0]
    if not found and (said := by_controls.instead(asked, text)):
        raise Refused(said)
    if not known:
        raise Refused("no person has suspended anybody")
    shown = some([f"  {one.id}  {one.kind} {wording.clean(one.name, 60)}" for one in known], between="\n")
    raise Refused(f"say which of these, by its id. Type: {pasted('release', known[0].id)}\n{shown}")


def _act(asked: Asked, one: Suspension, call: Call) -> None:
    """Make a call with the hands that may, limited to it."""
    target = Target(asked.account, GLOBAL, f"iam-{one.kind}", one.name)
    asked.plumbline.engine.aws.hands(_CONTROL, target, (call,), (one.arn,))(call)


def _saved(asked: Asked, found: Sequence[Suspension], version: int) -> int:
    asked.plumbline.ledger.save_suspensions(asked.account, found, version)
    return version + 1


def _not_suspended(one: Suspension, error: AwsRefusal) -> str:
    if error.code == "LimitExceeded":
        return (
            f"{one.kind} {one.name} holds as many managed policies as IAM lets it, so one more was refused. Detach one "
            f"of them, and type the same again. {error}"
        )
    if error.code == "NoSuchEntity":
        return f"IAM does not know {one.kind} {one.name}, or not the stack's policy; deploy again. {error}"
    return f"AWS refused to suspend {one.kind} {one.name}; nothing was done. {error}"


def _handed(asked: Asked, one: Suspension, call: Call, text: str) -> Answer:
    """That a role is suspended, and the call that only a person makes."""
    then = ("done", one.id, one.ticket)
    until = wording.moment(asked.now + TICKET_FOR)
    lead = (
        "Its open sessions can do nothing while it is suspended. To end them for good, so that none is good again "
        "after a release, takes rights of yours: the shell function makes this call, and says so. Without it, paste "
        f"it by {until}:"
    )
    perform = {
        "service": call.service,
        "operation": spelled(call.operation),
        "parameters": dict(call.parameters),
        "absent": list(call.absent),
    }
    said = "\n".join([text, "", *wrapped(lead, ""), "", f"  {by_aws_cli(call)}", f"  {pasted(*then)}"])
    return Answer(said, {"suspension": one.to_json(), "perform": (perform,), "then": then}, True, (perform,), then)


def _hours(time: timedelta) -> str:
    return f"{time // timedelta(hours=1)} hours"


__all__ = ("EXAMPLE", "ID_BEGINS", "done", "release", "suspend")

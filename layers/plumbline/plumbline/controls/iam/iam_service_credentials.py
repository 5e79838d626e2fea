"""API keys and passwords for single services exist only for the users the baseline lists.

Holds: every active service-specific credential belongs to a user named in `allowed_users`, in whatever case: API keys
of Amazon Bedrock and of CloudWatch Logs, Git credentials of CodeCommit, and passwords of Amazon Keyspaces. Each sweep
asks for those of all users, a list for each of these services. Bedrock's short-term keys, which last twelve hours at
most and come from a session of somebody's, AWS lists nowhere.
Why: such a key works from anywhere and needs no second factor, as an access key does, and those who look for access
keys see none of it. With a Bedrock key that leaks, whoever finds it spends thousands a day.
Repair: deactivates that one credential; nothing else of the user is touched. Nobody signs in to the console with it, so
nobody is locked out.
Undo: activates it again, as long as it has not expired.
Source: IAM API reference, ListServiceSpecificCredentials and UpdateServiceSpecificCredential; IAM user guide, API keys
for AWS services; Startup Security Baseline ACCT.13.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace

from plumbline.controls.iam._principals import GONE, by_name, users_that
from plumbline.controls.iam._service_credentials import of_all_users, of_user
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND_BY_SWEEP, FOUND_OPEN, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.names import fits, same_name
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.wakes import cloudtrail

KIND = "iam-service-credential"


def locate(detail: Event) -> Iterable[Target]:
    """The credential the event is about; all of the user, under his new name, where it does not say which."""
    made = ("serviceSpecificCredential",)
    user = cloudtrail.answer(detail, *made, "userName") or cloudtrail.parameter(detail, "newUserName", "userName")
    one = cloudtrail.answer(detail, *made, "serviceSpecificCredentialId")
    one = one or cloudtrail.parameter(detail, "serviceSpecificCredentialId")
    return cloudtrail.here(detail, KIND, user, one, region=GLOBAL)


def survey(ask: Ask) -> Mapping[Target, State]:
    """Every credential of every user."""
    return {
        Target(ask.account, GLOBAL, KIND, f"{one['UserName']}/{one['ServiceSpecificCredentialId']}"): _state(one)
        for one in of_all_users(ask)
    }


def observe(ask: Ask, target: Target) -> State:
    """The credential as it is; None when it, or its user, is gone."""
    user, _, wanted = target.id.partition("/")
    found = next((one for one in of_user(ask, user) if one["ServiceSpecificCredentialId"] == wanted), None)
    return found and _state(found)


def _state(found: Mapping[str, str]) -> dict[str, str]:
    return {
        "user": found["UserName"],
        "id": found["ServiceSpecificCredentialId"],
        "service": found["ServiceName"],
        "status": found["Status"],
    }


def spell(target: Target, state: State) -> Target:
    """The credential of the user under AWS's own spelling of his name."""
    if state is None or not same_name(state["user"], target.id.partition("/")[0]):
        return target
    return replace(target, id=f"{state['user']}/{state['id']}")


def detect(state: State, settings: Settings) -> Deviation | None:
    """An active credential of a user that no name or pattern in the baseline covers."""
    if state is None or state["status"] != "Active" or fits(state["user"], settings["allowed_users"]):
        return None
    return Deviation(f"is not allowed: the baseline lists none for its user ({state['service']})", (state["id"],))


def excepted(target: Target, settings: Settings) -> bool:
    """A credential of a user that the baseline covers."""
    return fits(target.id.partition("/")[0], settings["allowed_users"])


def announced(_ask: Ask, detail: Event, state: State, _settings: Settings) -> str:
    """A credential that was made, or switched on, and is not active any more."""
    if state is not None and state["status"] == "Active":
        return ""
    made = cloudtrail.answer(detail, "serviceSpecificCredential", "serviceSpecificCredentialId")
    if detail.get("eventName") == "CreateServiceSpecificCredential" and made:
        return "was made, though the baseline lists none for its user"
    switched = cloudtrail.parameter(detail, "status") == "Active"
    if detail.get("eventName") == "UpdateServiceSpecificCredential" and switched:
        return "was switched on, though the baseline lists none for its user"
    return ""


def describe(state: State) -> str:
    """For which service, and active, inactive, expired or gone."""
    return f"the credential for {state['service']} is {state['status']}" if state else "the credential does not exist"


def plan(target: Target, state: State, _settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Deactivate the credential, and only it."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    one = {"UserName": state["user"], "ServiceSpecificCredentialId": state["id"]}

    def to(status: str) -> Call:
        return Call("iam", "UpdateServiceSpecificCredential", {**one, "Status": status}, absent=GONE)

    return Plan(
        steps=(Step(do=to("Inactive"), undo=(to("Active"),)),),
        resources=by_name(target.account, "user", state["user"]),
        summary=f"deactivates credential {state['id']} of user {state['user']} for {state['service']}",
    )


CONTROL = Control(
    id="iam-service-credentials",
    doc=__doc__ or "",
    yourself=(
        "If you made this credential, ask for it to be allowed before you need it. If you did not, say so at once: "
        "somebody else may use your password or a key of yours."
    ),
    since="0.2",
    severity=Severity.HIGH,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND_OPEN},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(
        On(
            "iam.amazonaws.com",
            # Users are allowed by name, so who is renamed is looked at too.
            ("CreateServiceSpecificCredential", "UpdateServiceSpecificCredential", "UpdateUser"),
            locate,
        ),
    ),
    reads=frozenset({"iam:ListServiceSpecificCredentials"}),
    writes=frozenset({"iam:UpdateServiceSpecificCredential"}),
    noun="service credential {last} of user {first}",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    excepted=excepted,
    by_name=True,
    announces=announced,
    spell=spell,
    settings={
        "allowed_users": users_that("may have active credentials for single services"),
    },
    answers={"ssb": ("ACCT.13",)},
)

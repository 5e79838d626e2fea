"""The whole story on one machine: deploy, break, watch it being put right, read the e-mail, undo.

Run by `make demo`. Every step looks into the account to see that what it tells is true; the exit code is 0 only if all
of it was. `make demo KEEP=1` leaves the account running afterwards; `make demo REGION=ap-southeast-2` has Plumbline
live in that region, and the story is the same: what happens in other regions comes home.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local import deployment
from local.__main__ import how_to_talk_to
from local.embedded import ROOT, EmbeddedAWS, EmbeddedAWSError, Mail, NotInTime
from local.reading import without_the_function

WIDTH = min(shutil.get_terminal_size((80, 24)).columns, 100)
ALERTS, ESCALATIONS = "security@example.com", "ciso@example.com"
BUCKET = "acme-data"
SITE = "acme-site"
#: Where the demo's root signs in from: an address that is nobody's. Source: RFC 5737.
ROOT_FROM = "203.0.113.77"
#: The bucket lies elsewhere than at home, wherever that is; AWS keeps the metrics of the bill in one region alone.
ELSEWHERE, BILLING = "eu-west-1", "us-east-1"
#: Beside what each wait says itself: nothing here is slow, so a step that takes longer is broken.
_STEP_SECONDS = 30.0
#: Every region is looked at once, and this machine is all of them.
_EVERY_REGION_SECONDS = 180.0
#: How often the pipeline runs. What happens within three seconds of a repair may be its echo, and is looked at later.
_PIPELINE_SECONDS = 4.0


def say(text: str = "", *, indent: str = "") -> None:
    """Print a paragraph, folded to the terminal."""
    for line in text.splitlines() or [""]:
        folded = textwrap.wrap(line, WIDTH - len(indent), break_long_words=False) or [""]
        sys.stdout.write("".join(f"{indent}{part}\n" for part in folded))
    sys.stdout.flush()


def heading(text: str) -> None:
    """A line that separates the steps."""
    sys.stdout.write(f"\n== {text} {'=' * max(0, WIDTH - len(text) - 4)}\n\n")
    sys.stdout.flush()


def letter(mail: Mail) -> None:
    """An e-mail as its reader sees it."""
    edge = f"+{'-' * (WIDTH - 2)}+"
    head = [
        f"To:      {mail.to}",
        "From:    Plumbline <no-reply@sns.amazonaws.com>",
        *textwrap.wrap(f"Subject: {mail.subject}", WIDTH - 2, subsequent_indent=" " * 9, break_on_hyphens=False),
    ]
    sys.stdout.write("\n".join([edge, *(f"| {line}" for line in [*head, "", *_lines(mail.text)]), edge, ""]))
    sys.stdout.flush()


def _lines(text: str) -> Iterator[str]:
    """The lines of an e-mail, without those that all have: Plumbline folds its own, AWS does not."""
    for line in without_the_function(text).rstrip().splitlines():
        if len(line) > WIDTH - 2:
            yield from textwrap.wrap(line, WIDTH - 2, break_on_hyphens=False)
        else:
            yield line


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    sys.stdout.write(f"  {what} ... ")
    sys.stdout.flush()
    began = time.monotonic()
    yield
    sys.stdout.write(f"{time.monotonic() - began:.1f} s\n")
    sys.stdout.flush()


@dataclass
class Story:
    """The demo's account and what has been read of its mail."""

    aws: EmbeddedAWS
    read: int = 0
    times: list[tuple[str, float]] = field(default_factory=list)

    def act(
        self,
        title: str,
        tells: str,
        action: Callable[[], Any],
        *,
        until: Callable[[], object] | None,
        what: str,
        subject: str,
    ) -> Mail:
        """One violation: do it, wait until the account is right again, and show the e-mail.

        Args:
            title: the step's heading.
            tells: what happens, for the reader.
            action: what the person does.
            until: true once the account is right again; None where there is nothing to repair.
            what: what is awaited, for the error.
            subject: a pattern of the e-mail's subject.

        Raises:
            NotInTime: it was not put right, or nobody was told.
        """
        heading(title)
        say(tells)
        self.read = max((mail.number for mail in self.aws.mail()), default=0)
        began = time.monotonic()
        action()
        if until is not None:
            self.aws.wait(until, timeout=_STEP_SECONDS, what=what)
            took = time.monotonic() - began
            say(f"\n  Put right after {took:.1f} s: {what}.")
        mail = self.mail(subject)
        took = took if until is not None else time.monotonic() - began
        self.times.append((title, took))
        say(f"  The e-mail was there after {time.monotonic() - began:.1f} s:\n")
        letter(mail)
        return mail

    def mail(self, subject: str, *, seconds: float = _STEP_SECONDS) -> Mail:
        """The first unread e-mail whose subject has a pattern; waits for it."""
        found: list[Mail] = []

        def arrived() -> bool:
            found[:] = [one for one in self.aws.mail(since=self.read) if re.search(subject, one.subject)]
            return bool(found)

        try:
            self.aws.wait(arrived, timeout=seconds, what=f"an e-mail with the subject /{subject}/")
        except NotInTime as error:
            came = [mail.subject for mail in self.aws.mail(since=self.read)]
            raise NotInTime(f"{error}; what came is {came}") from None
        return found[0]

    def plumbline(self, *words: str) -> str:
        """Type a command, as a person in CloudShell does, and show the answer."""
        say(f"\n$ plumbline {shlex.join(words)}")
        answer = self.aws.typed(*words)
        sys.stdout.write(textwrap.indent(answer["text"], "  ") + "\n\n")
        sys.stdout.flush()
        if not answer["ok"]:
            raise EmbeddedAWSError(f"plumbline {shlex.join(words)} was refused; see above")
        return str(answer["text"])


def play(aws: EmbeddedAWS) -> Story:
    """The story from the deployment to the status."""
    story = Story(aws)
    heading("An account, and people in it")
    _people(aws)
    say(
        f"Account {aws.account}, at home in {aws.region}: mallory (an IAM user), erin (an engineer), and a bucket in "
        f"{ELSEWHERE}, {BUCKET}."
    )
    _finance_makes_the_alarm(story)
    heading("sam build && sam deploy")
    with timed("sam build"):
        deployment.build(aws)
    with timed("sam deploy, which puts a forwarder into every other region"):
        deployment.deploy(aws, {"AlertEmail": ALERTS, "EscalationEmail": ESCALATIONS})
    _adoption(story)
    _exemption(story)
    key = _a_key(story)
    _a_public_bucket(story)
    _a_hidden_bucket(story)
    _an_inline_admin(story)
    _a_stopped_trail(story)
    _root(story)
    _the_bill(story)
    _tampering(story)
    _undo(story, key)
    _fight(story)
    heading("Status")
    story.plumbline("status")
    heading("How long each took")
    for title, seconds in story.times:
        sys.stdout.write(f"  {title:<50} {seconds:5.1f} s\n")
    return story


def _people(aws: EmbeddedAWS) -> None:
    aws.user(
        "mallory",
        policies=["arn:aws:iam::aws:policy/PowerUserAccess", "arn:aws:iam::aws:policy/IAMFullAccess"],
    )
    aws.user("erin", policies=["arn:aws:iam::aws:policy/PowerUserAccess"])
    aws.client("iam").create_user(UserName="backup")
    s3 = aws.client("s3", region=ELSEWHERE)
    aws.bucket(BUCKET, region=ELSEWHERE, ObjectOwnership="BucketOwnerPreferred")
    s3.delete_public_access_block(Bucket=BUCKET)  # new buckets have it; this one is old
    s3.put_object(Bucket=BUCKET, Key="customers.csv", Body=b"name,card\n")
    aws.bucket(SITE, ObjectOwnership="BucketOwnerPreferred")
    aws.client("s3").delete_public_access_block(Bucket=SITE)  # so is this one


def _settled(aws: EmbeddedAWS) -> None:
    """What the deployment itself woke is done with before the story begins."""
    quiet = {"calls": -1, "since": 0.0}

    def silent() -> bool:
        calls = len(aws.calls(since=0))
        if calls != quiet["calls"]:
            quiet.update(calls=calls, since=time.monotonic())
        return time.monotonic() - quiet["since"] > 1

    aws.wait(silent, timeout=_STEP_SECONDS, what="the deployment's own events are settled")


def _finance_makes_the_alarm(story: Story) -> None:
    cloudwatch = story.aws.client("cloudwatch", region=BILLING)
    cloudwatch.put_metric_alarm(
        AlarmName="plumbline-billing",
        Namespace="AWS/Billing",
        MetricName="EstimatedCharges",
        Dimensions=[{"Name": "Currency", "Value": "USD"}],
        Statistic="Maximum",
        Period=21600,
        EvaluationPeriods=1,
        DatapointsToAlarm=1,
        Threshold=10,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="missing",
        AlarmActions=[f"arn:aws:sns:{BILLING}:{story.aws.account}:plumbline-alerts"],
    )
    cloudwatch.set_alarm_state(AlarmName="plumbline-billing", StateValue="OK", StateReason="billing data is coming in")
    _settled(story.aws)


def _adoption(story: Story) -> None:
    heading("The first sweep: what was there before")
    say("Nothing is repaired on day one. What the first sweep finds is told in one digest, and left alone for a week.")
    # CloudFormation's own event has started it, as soon as the stack was there.
    with timed("sweeping, settling, and half a minute for what comes late"):
        mail = story.mail("^.Plumbline. digest: ", seconds=_EVERY_REGION_SECONDS)
    letter(mail)


def _exemption(story: Story) -> None:
    heading("An exemption, because it is meant")
    say("erin's own access key is in the digest. It runs the nightly export; the team answers for it for 30 days.")
    found = story.aws.invoke("plumbline-operate", {"command": "findings"})["data"]["findings"]
    key = next((one["id"][:4] for one in found if "/iam-access-key/erin/" in one["target"]), None)
    if key is None:
        raise EmbeddedAWSError("the first sweep did not find erin's access key")
    story.plumbline(
        "exempt", key, "--days", "30", "--owner", "data-team", "--reason", "nightly export, until it has a role"
    )
    letter(story.mail("^.Plumbline. exempt"))


def _fight(story: Story) -> None:
    heading("A fight")
    say("A pipeline opens a bucket to the world whenever it runs. Plumbline repairs it three times, and then stops.")
    s3, admin = story.aws.client("s3", as_="erin"), story.aws.client("s3")
    name = SITE
    story.read = max((mail.number for mail in story.aws.mail()), default=0)
    for turn in range(3):
        if turn:
            time.sleep(_PIPELINE_SECONDS)
        s3.put_bucket_acl(Bucket=name, ACL="public-read")
        with timed(f"repair {turn + 1}"):
            story.mail(f"^.Plumbline. repaired: bucket {name} ")
        story.read = max(mail.number for mail in story.aws.mail())
    time.sleep(_PIPELINE_SECONDS)
    s3.put_bucket_acl(Bucket=name, ACL="public-read")
    letter(story.mail(f"^.Plumbline. fight: bucket {name} "))
    if "AllUsers" not in json.dumps(admin.get_bucket_acl(Bucket=name)["Grants"]):
        raise EmbeddedAWSError("the bucket was repaired a fourth time")


def _a_key(story: Story) -> Mail:
    mallory, admin = story.aws.client("iam", as_="mallory"), story.aws.client("iam")
    keys: list[str] = []
    return story.act(
        "An access key nobody asked for",
        "mallory makes an access key for the user backup, to be able to come back later.",
        lambda: keys.append(mallory.create_access_key(UserName="backup")["AccessKey"]["AccessKeyId"]),
        until=lambda: (
            {"Inactive"} == {one["Status"] for one in admin.list_access_keys(UserName="backup")["AccessKeyMetadata"]}
        ),
        what="the key is Inactive",
        subject="^.Plumbline. repaired: access key .* of user backup",
    )


def _a_public_bucket(story: Story) -> None:
    erin, admin = (story.aws.client("s3", as_=who, region=ELSEWHERE) for who in ("erin", "admin"))
    story.act(
        "A bucket opened to the world, in another region",
        f"erin gives everybody on the internet read access to {BUCKET} in {ELSEWHERE}, by ACL, to share one file.",
        lambda: erin.put_bucket_acl(Bucket=BUCKET, ACL="public-read"),
        until=lambda: "AllUsers" not in json.dumps(admin.get_bucket_acl(Bucket=BUCKET)["Grants"]),
        what="no grant to everybody is left, the owner's is",
        subject=f"^.Plumbline. repaired: bucket {BUCKET}",
    )


def _a_hidden_bucket(story: Story) -> None:
    """Nobody can say whether it is in line: that is told, and stays in the list until somebody can."""
    erin, name = story.aws.client("s3", as_="erin"), "acme-vault"
    eyes = story.aws.client("iam").get_role(RoleName="plumbline-eyes")["Role"]["Arn"]
    story.aws.bucket(name, as_="erin")
    statement = {
        "Sid": "OnlyUs",
        "Effect": "Deny",
        "Principal": {"AWS": eyes},
        "Action": "s3:GetBucketPolicy",
        "Resource": f"arn:aws:s3:::{name}",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    story.act(
        "A bucket that cannot be looked at",
        f"erin gives {name} a policy that denies Plumbline's reading role a look at it. Nothing can be judged, so "
        "nothing is repaired; it is told with her name, and listed until it can be seen.",
        lambda: erin.put_bucket_policy(Bucket=name, Policy=policy),
        until=None,
        what="",
        subject=f"^.Plumbline. cannot look: bucket {name}",
    )
    listed = story.plumbline("findings", "--target", f"*/s3-bucket/{name}")
    if f"bucket {name} cannot be looked at" not in " ".join(listed.split()):
        raise EmbeddedAWSError(f"{name} cannot be looked at, and is not listed")


def _an_inline_admin(story: Story) -> None:
    mallory, admin = story.aws.client("iam", as_="mallory"), story.aws.client("iam")
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    story.act(
        "An engineer becomes administrator",
        "mallory gives erin an inline policy that allows everything.",
        lambda: mallory.put_user_policy(UserName="erin", PolicyName="temporary", PolicyDocument=json.dumps(everything)),
        until=lambda: not admin.list_user_policies(UserName="erin")["PolicyNames"],
        what="erin has no inline policy",
        subject="^.Plumbline. repaired: .*erin",
    )


def _a_stopped_trail(story: Story) -> None:
    mallory, admin = story.aws.client("cloudtrail", as_="mallory"), story.aws.client("cloudtrail")
    story.act(
        "Somebody stops the trail",
        "mallory stops the trail, so that nothing he does is seen any more.",
        lambda: mallory.stop_logging(Name="plumbline"),
        until=lambda: admin.get_trail_status(Name="plumbline")["IsLogging"],
        what="the trail is logging",
        subject="^.Plumbline. repaired: .*trail",
    )


def _root(story: Story) -> None:
    story.act(
        "The root user signs in",
        "Somebody signs in to the console as root. No API can prevent that, so somebody has to hear of it.",
        lambda: story.aws.root_signs_in(ROOT_FROM),
        until=None,
        what="",
        subject="^.Plumbline. seen: the root user signed in",
    )


def _the_bill(story: Story) -> None:
    erin, admin = (story.aws.client("cloudwatch", as_=who, region=BILLING) for who in ("erin", "admin"))

    def alarms() -> list[Any]:
        return list(admin.describe_alarms(AlarmNames=["plumbline-billing"])["MetricAlarms"])

    def delete() -> None:
        try:
            erin.delete_alarms(AlarmNames=["plumbline-billing"])
        except ClientError as refused:
            say(f"erin: {refused.response['Error']['Message']}")
        else:
            raise EmbeddedAWSError("the guard did not hold erin")
        admin.delete_alarms(AlarmNames=["plumbline-billing"])

    story.act(
        "The billing alarm is deleted",
        "erin wants the noisy billing alarm gone, and Plumbline's guard holds her; so an administrator deletes it.",
        delete,
        until=lambda: alarms() and alarms()[0]["ActionsEnabled"],
        what="the alarm is there again and tells somebody",
        subject="^.Plumbline. repaired: .*on the bill",
    )


def _tampering(story: Story) -> None:
    """First AWS itself tells, by no code of Plumbline's; then Plumbline looks at itself, and puts back what it may."""
    mallory, admin = story.aws.client("events", as_="mallory"), story.aws.client("events")
    rule = "plumbline-iam"
    story.act(
        "Somebody turns on Plumbline itself",
        f"mallory switches off {rule}, the rule by which Plumbline hears of IAM. AWS itself e-mails the owner: no code "
        "of Plumbline's has to run for that.",
        lambda: mallory.disable_rule(Name=rule),
        until=None,
        what="",
        subject="^AWS Notification Message$",
    )
    say("\nEvery ten minutes Plumbline looks at itself. This does not wait for the clock, and starts a look.")
    story.read = max(mail.number for mail in story.aws.mail())
    with timed("looking, and putting the rule back"):
        story.aws.invoke("plumbline-sweep", {"plumbline-task": "house"})
        story.aws.wait(
            lambda: admin.describe_rule(Name=rule)["State"] == "ENABLED",
            timeout=_STEP_SECONDS,
            what="the rule is on again",
        )
    letter(story.mail(f"^.Plumbline. repaired: .*{rule}"))


def _undo(story: Story, mail: Mail) -> None:
    heading("It was meant: undo, with the command from the e-mail")
    found = re.search(r"plumbline (undo \w+)", mail.text)
    if not found:
        raise EmbeddedAWSError("the e-mail about the access key has no undo command")
    story.plumbline(*found[1].split())
    admin = story.aws.client("iam")

    def statuses() -> list[str]:
        return [one["Status"] for one in admin.list_access_keys(UserName="backup")["AccessKeyMetadata"]]

    story.aws.wait(lambda: statuses() == ["Active"], timeout=_STEP_SECONDS, what="the key is Active again")
    with timed("waiting for the event that the undo itself caused"):
        story.aws.wait(lambda: _exempt(story), timeout=2 * _STEP_SECONDS, what="the key's finding is exempt")
    if statuses() != ["Active"]:
        raise EmbeddedAWSError("the undone repair was repaired again; it should be left alone")
    say("\nThe key is Active and stays so: its own event found it exempt for a day.")


def _exempt(story: Story) -> bool:
    found = story.aws.invoke("plumbline-operate", {"command": "findings"})["data"]["findings"]
    return any(one["status"] == "exempt" for one in found)


def left_running(aws: EmbeddedAWS, function: str) -> str:
    """What to type to use the account, and the Plumbline in it, once the story is over.

    Args:
        aws: the account.
        function: the stack's output `Shell`.
    """
    needs = "Talk to Plumbline; it needs an AWS CLI, version 1 or 2, and jq 1.6 or newer:"
    return f"{how_to_talk_to(aws)}\n{needs}\n\n  {function}\n\n  plumbline status\n"


def _shell_function(aws: EmbeddedAWS) -> str:
    (stack,) = aws.client("cloudformation").describe_stacks(StackName="plumbline")["Stacks"]
    return next(str(one["OutputValue"]) for one in stack["Outputs"] if one["OutputKey"] == "Shell")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description="The whole story, in an account on this machine.")
    parser.add_argument("--keep", action="store_true", help="leave the account running: KEEP=1")
    parser.add_argument("--region", default=BILLING, help="where Plumbline lives: REGION=ap-southeast-2")
    return parser.parse_args()


def main() -> int:
    """Play the story; 0 only if all of it was seen to be true."""
    asked = _asked()
    began = time.monotonic()
    try:
        heading("An empty AWS account on this machine")
        port, state = 4566 if asked.keep else None, ROOT / Path(".plumbline/demo")
        with EmbeddedAWS.start(port=port, state=state, region=asked.region) as aws:
            say(f"At {aws.endpoint}, IAM enforced. Its log is {aws.log}")
            play(aws)
            heading(f"All of it was seen to be true, in {time.monotonic() - began:.0f} s")
            if asked.keep:
                sys.stdout.write(
                    left_running(aws, _shell_function(aws))
                )  # as it is: a line that is folded cannot be pasted
                sys.stdout.flush()
                signal.signal(signal.SIGTERM, signal.default_int_handler)
                with suppress(KeyboardInterrupt):
                    signal.pause()
    except EmbeddedAWSError as error:
        sys.stdout.flush()
        sys.stderr.write(f"\nThe demo stopped: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The main job on a real deployment: real rules, real queues, real roles, IAM enforced."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plumbline.findings.schema import ITEM_EACH
from plumbline.handlers.taking import Share
from plumbline.sweep.units import Unit
from tests.deployed import source
from tests.end_to_end.account import HOME, Account
from tests.generated import ROOT

ADMIN = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
#: A password policy that the shipped baseline asks for.
STRICT = {
    "MinimumPasswordLength": 14, "RequireSymbols": True, "RequireNumbers": True, "RequireUppercaseCharacters": True,
    "RequireLowercaseCharacters": True, "AllowUsersToChangePassword": True, "PasswordReusePrevention": 24,
}  # fmt: skip
#: What Lambda itself does with a function's role: polling its queue or stream, writing its log. No code of ours does.
BY_LAMBDA = {
    "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "logs:CreateLogStream", "logs:PutLogEvents",
    "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
}  # fmt: skip


def test_what_was_there_before_is_told_in_one_digest(account: Account) -> None:
    """Runs first, for a first sweep comes once: CloudFormation's own event starts it, and nobody else does."""
    account.first_sweep()
    account.until(lambda: account.mail_about("digest: "), "the digest")
    account.quiet()
    (mail,) = account.aws.mail()[-1:]
    assert re.search(r"digest: \d+ things there before Plumbline, the worst is critical$", mail.subject)
    assert "user mallory has administrator rights" in " ".join(mail.text.split())
    opened = [one for one in account.operate("findings")["data"]["findings"] if one["status"] == "open"]
    assert len(opened) >= 5, "all of it is open, and left alone"


def test_the_week_is_summed_up(account: Account) -> None:
    since = account.latest_mail()
    account.send('{"plumbline-task": "weekly"}')
    account.until(lambda: account.mail_about("week: ", since), "the weekly summary")


def test_an_unlisted_key_is_deactivated_and_told_once(account: Account) -> None:
    user, since = account.user(), account.latest_mail()
    account.aws.client("iam", as_="mallory").create_access_key(UserName=user)
    account.until(lambda: account.key_status(user) == ["Inactive"], "the key is Inactive")
    account.quiet()
    (mail,) = account.mail_about(f"of user {user} ", since)
    assert mail.subject.startswith("[Plumbline] repaired: access key ")
    assert "mallory, arn:aws:iam::111122223333:user/mallory" in mail.text


def test_other_programs_hear_what_happens_to_a_finding(account: Account) -> None:
    sqs, events, user = account.aws.client("sqs"), account.aws.client("events"), account.user()
    queue = sqs.create_queue(QueueName="listener")["QueueUrl"]
    pattern = {"source": ["plumbline"], "detail-type": ["Plumbline Finding"], "detail": {"severity": ["high"]}}
    events.put_rule(Name="listener", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="listener", Targets=[{"Id": "queue", "Arn": f"arn:aws:sqs:{HOME}:111122223333:listener"}])
    account.aws.client("iam", as_="mallory").create_access_key(UserName=user)
    heard: list[str] = []

    def repaired() -> bool:
        for one in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ()):
            detail = json.loads(one["Body"])["detail"]
            if user in detail["target"]:
                heard.append(detail["transition"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
        return "repaired" in heard

    try:
        account.until(repaired, "the repair is announced")
    finally:
        events.remove_targets(Rule="listener", Ids=["queue"])
        events.delete_rule(Name="listener")
    assert heard == ["opened", "repairing", "repaired"]


def test_undo_puts_it_back_and_it_stays(account: Account) -> None:
    user, since = account.user(), account.latest_mail()
    account.aws.client("iam", as_="mallory").create_access_key(UserName=user)
    account.until(lambda: account.mail_about(f"of user {user} ", since), "the e-mail")
    (mail,) = account.mail_about(f"of user {user} ", since)
    command = re.search(r"plumbline undo (\w+)", mail.text)
    assert command
    answer = account.operate("undo", command[1])
    assert answer["ok"], answer["text"]
    account.quiet()
    assert account.key_status(user) == ["Active"]
    assert not account.operate("undo", command[1])["ok"], "undone twice"


def test_an_undo_is_refused_when_somebody_changed_the_target_since(account: Account) -> None:
    bucket, since = account.bucket(), account.latest_mail()
    erin = account.aws.client("s3", as_="erin")
    erin.put_bucket_acl(Bucket=bucket, ACL="public-read")
    account.until(lambda: account.mail_about(f"repaired: bucket {bucket}", since), "the e-mail")
    account.quiet()
    log = "uri=http://acs.amazonaws.com/groups/s3/LogDelivery"
    erin.put_bucket_acl(Bucket=bucket, GrantWrite=log, GrantReadACP=log)
    account.quiet()
    command = re.search(r"plumbline undo (\w+)", account.mail_about(f"repaired: bucket {bucket}", since)[0].text)
    assert command
    answer = account.operate("undo", command[1])
    assert not answer["ok"]
    assert "has changed since" in answer["text"]
    assert "--force" in answer["text"]


def test_an_inline_admin_is_gone_whichever_control_is_first(account: Account) -> None:
    user = account.user()
    iam = account.aws.client("iam", as_="mallory")
    iam.put_user_policy(UserName=user, PolicyName="temporary", PolicyDocument=ADMIN)
    admin = account.aws.client("iam")
    account.until(lambda: not admin.list_user_policies(UserName=user)["PolicyNames"], "no inline policy is left")
    account.quiet()
    assert admin.list_attached_user_policies(UserName=user)["AttachedPolicies"] == []


def test_a_stopped_trail_is_started_though_nothing_more_is_heard(account: Account) -> None:
    account.aws.client("cloudtrail", as_="mallory").stop_logging(Name="plumbline")
    trail = account.aws.client("cloudtrail")
    account.until(lambda: trail.get_trail_status(Name="plumbline")["IsLogging"], "the trail logs")


def test_what_no_event_told_is_found_by_the_sweep_told_and_left_for_a_week(account: Account) -> None:
    iam = account.aws.client("iam")
    iam.update_account_password_policy(**STRICT)
    account.sweep()
    since, weak = account.latest_mail(), {**STRICT, "MinimumPasswordLength": 6}
    with account.deaf_to_iam():
        account.aws.client("iam", as_="mallory").update_account_password_policy(**weak)
        account.quiet()
        assert account.mail_about("password policy", since) == []
        account.sweep()
    account.until(lambda: account.mail_about("found: .*password policy", since), "it is told")
    account.quiet()
    (told,) = account.mail_about("password policy", since)
    assert "in 7 days" in " ".join(told.text.split())
    left = iam.get_account_password_policy()["PasswordPolicy"]
    assert weak == {name: left[name] for name in weak}


def test_a_second_sweep_of_the_same_account_wakes_nobody(account: Account) -> None:
    account.sweep()
    account.until(lambda: not account.waiting("wakes"), "no digest is still on its way")
    account.quiet()
    since, calls = account.latest_mail(), account.latest_call()
    account.sweep()
    assert [mail.subject for mail in account.aws.mail(since=since)] == []
    assert account.calls_of("react", calls) == []


def test_plumbline_keeps_its_own_rules(account: Account) -> None:
    account.sweep()
    about_itself = [one for one in account.operate("findings")["data"]["findings"] if "/plumbline-" in one["target"]]
    assert about_itself == []


def test_five_copies_of_one_event_make_one_repair_and_one_letter(account: Account) -> None:
    user, since = account.user(), account.latest_mail()
    event = json.loads((ROOT / "events/iam/iam-access-key-created/CreateAccessKey.json").read_text())
    with account.denied("react", "dynamodb:*"):
        key = account.aws.client("iam", as_="mallory").create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
        account.quiet()
        assert account.key_status(user) == ["Active"], "repaired without a ledger"
        assert account.waiting("wakes"), "the message is gone"
    event["detail"]["responseElements"]["accessKey"] |= {"userName": user, "accessKeyId": key}
    event["detail"]["requestParameters"] = {"userName": user}
    account.send(*[json.dumps(event)] * 5)
    account.until(lambda: account.key_status(user) == ["Inactive"], "the key is Inactive")
    account.until(lambda: not account.waiting("wakes"), "the queue is empty")
    account.quiet()
    assert len(account.mail_about(f"of user {user} ", since)) == 1
    writes = [call for call in account.calls_of("hands") if call.operation == "UpdateAccessKey" and user in str(call)]
    assert len([call for call in writes if not call.error]) <= 1


def test_what_cannot_be_looked_at_is_told_of_each_listed_and_nothing_is_done(account: Account) -> None:
    users, since = [account.user(), account.user()], account.latest_mail()
    with account.denied("eyes", "iam:ListAccessKeys"):
        for user in users:
            account.aws.client("iam", as_="mallory").create_access_key(UserName=user)
        letters = [f"cannot look: access key .* of user {user}[ ,]" for user in users]
        account.until(lambda: all(account.mail_about(one, since) for one in letters), "each is told")
        account.quiet()
        assert [len(account.mail_about(one, since)) for one in letters] == [1, 1]
        listed = [one["target"] for one in account.operate("findings")["data"]["findings"] if one["unseen_since"]]
        assert [user for user in users if any(f"/{user}/" in one for one in listed)] == users
        assert [account.key_status(user) for user in users] == [["Active"], ["Active"]]


@pytest.mark.parametrize("body", ["", "{", "[]", '{"foreign": true}', '{"plumbline-wake": 1, "control": "rm -rf"}'])
def test_a_message_nobody_understands_ends_in_the_dead_letter_queue(account: Account, body: str) -> None:
    before = account.waiting("dead-letters")
    user, since = account.user(), account.latest_mail()
    account.send(body or " ")
    account.aws.client("iam", as_="mallory").create_access_key(UserName=user)
    account.until(lambda: account.mail_about(f"of user {user} ", since), "its neighbour in the batch is settled")
    redrive = json.loads(
        account.aws.client("sqs").get_queue_attributes(QueueUrl=account.queue("wakes"), AttributeNames=["All"])[
            "Attributes"
        ]["RedrivePolicy"]
    )
    assert int(redrive["maxReceiveCount"]) == 5
    assert account.waiting("dead-letters") >= before
    account.until(lambda: "malformed message" in account.aws.log.read_text(errors="replace"), "the log says why")


def test_root_is_told_of_once_a_session(account: Account) -> None:
    since = account.latest_mail()
    event = json.loads((ROOT / "events/root/root-activity/ConsoleLogin.json").read_text())
    event["detail"]["sourceIPAddress"] = "203.0.113.99"
    account.aws.inject(event)
    account.aws.inject(event)
    account.until(lambda: account.mail_about("seen: the root user signed in", since), "somebody hears of it")
    account.quiet()
    assert len(account.mail_about("seen: the root user signed in", since)) == 1


def test_what_a_person_exempts_is_exempt_until_she_says_otherwise(account: Account) -> None:
    since = account.latest_mail()
    some = next(one for one in account.operate("findings")["data"]["findings"] if one["status"] == "open")
    made = account.operate("exempt", some["id"], "--days", "7", "--owner", "erin", "--reason", "moves in May")
    assert made["ok"], made["text"]
    exemption = made["data"]["exemption"]["id"]
    account.until(lambda: account.mail_about("exempt: ", since), "it is told")
    assert (_status_of(account, some["id"]), exemption in account.operate("exemptions")["text"]) == ("exempt", True)
    ended = account.operate("unexempt", exemption)
    assert ended["ok"], ended["text"]
    account.sweep()
    account.until(lambda: _status_of(account, some["id"]) == "open", "it is judged again")


def test_a_pause_holds_repairs_back_and_resume_lets_them_go_on(account: Account) -> None:
    user, since = account.user(), account.latest_mail()
    paused = account.operate("pause", "iam-access-key-created", "--hours", "1", "--reason", "migration")
    assert paused["ok"], paused["text"]
    account.aws.client("iam", as_="mallory").create_access_key(UserName=user)
    account.until(lambda: account.mail_about(f"found: access key .*of user {user} ", since), "it is told")
    account.quiet()
    assert account.key_status(user) == ["Active"]
    assert "PAUSED" in account.operate("status")["text"]
    resumed = account.operate("resume")
    assert "iam-access-key-created" in resumed["data"]["pauses"], resumed["text"]
    assert account.operate("sweep")["ok"]
    account.until(lambda: account.key_status(user) == ["Inactive"], "the sweep repairs what was held back")
    account.quiet()
    counters = account.operate("resume", "--breakers")["data"]["counters"]
    assert counters["iam-access-key-created"] >= 1, "that repair is counted anew"


def test_status_sees_its_own_alarms_and_addresses(account: Account) -> None:
    answer = account.operate("status")
    assert "could not look" not in answer["text"]
    assert isinstance(answer["data"]["alarms"], list)
    assert isinstance(answer["data"]["unconfirmed"], list)
    assert json.loads(account.operate("status", "--json")["text"])["account"] == "111122223333"


def test_a_plan_is_looked_up_afresh_and_enforce_asks_first(account: Account) -> None:
    calls = account.latest_call()
    assert account.operate("plan")["ok"]
    asked = account.operate("enforce", "iam-groups")
    assert ("--yes" in asked["text"]) is bool(asked["data"].get("would"))
    assert account.calls_of("hands", calls) == []


def test_what_an_event_means_without_naming_it_is_handed_over_where_it_is_much(account: Account) -> None:
    """The account's access block is said to be gone while eleven buckets are public on purpose: react settles ten."""
    many = [f"acme-many-{number}" for number in range(11)]
    exempt = ("exempt", "*/s3-bucket/acme-many-*", "--control", "s3-public-acl", "--days", "1", "--owner", "a test")
    assert account.operate(*exempt, "--reason", "public on purpose")["ok"]
    s3 = account.aws.client("s3")
    for name in many:
        account.aws.bucket(name, ObjectOwnership="BucketOwnerPreferred")
        s3.delete_public_access_block(Bucket=name)
        s3.put_bucket_acl(Bucket=name, ACL="public-read")
    account.quiet(3)
    since = account.latest_call()
    event = json.loads((ROOT / "events" / "s3" / "s3-public-acl" / "DeleteAccountPublicAccessBlock.json").read_text())
    account.aws.inject(event)
    account.until(
        lambda: any(one.operation == "SendMessageBatch" for one in account.calls_of("react", since)),
        "it is handed over",
    )
    account.until(lambda: account.waiting("units") == 0, "the sweep's function has looked through all buckets")
    account.quiet()
    again = account.latest_call()
    account.aws.inject({**event, "id": "another", "detail": {**event["detail"], "eventID": "another"}})
    account.until(
        lambda: account.waiting("units") == 1, "nobody is called twice in ten minutes, whoever has events come"
    )
    account.quiet()
    assert "Invoke" not in [one.operation for one in account.calls_of("react", again)]
    account.look_at_the_house()
    assert account.waiting("units") == 0, "the look at Plumbline itself takes what waits"
    account.quiet()
    found = account.operate("findings", "--exempt", "--control", "s3-public-acl")["data"]["findings"]
    assert {*many} <= {one["target"].rpartition("/")[2] for one in found}
    assert [] == account.calls_of("hands", since)
    for name in many:
        s3.delete_bucket(Bucket=name)
    account.quiet()


def test_what_an_earlier_versions_trigger_still_brings_is_looked_through_and_begins_no_sweep(account: Account) -> None:
    """CloudFormation deletes what a template no longer has when all else is done: the new code meets the old trigger.

    Source: AWS CloudFormation user guide, Understanding stack update: UPDATE_COMPLETE_CLEANUP_IN_PROGRESS.
    """
    begun = account.operate("status")["data"]["sweeps"]
    piece = Unit(account.aws.account, "global", ("account-password-policy",)).to_json()
    records = [{"messageId": name, "body": body} for name, body in (("good", piece), ("bad", "{}"))]
    answer = account.aws.invoke("plumbline-sweep", {"Records": records})
    assert {"batchItemFailures": [{"itemIdentifier": "bad"}]} == answer
    assert begun == account.operate("status")["data"]["sweeps"]


@pytest.fixture(scope="module")
def one_forwarder_less(account: Account) -> None:
    """A forwarder that somebody takes away, and the sweep makes again: the one path that no other test here walks."""
    cloudformation, named = account.aws.client("cloudformation"), {"StackSetName": "plumbline-forwarders"}

    def current() -> bool:
        found = cloudformation.list_stack_instances(**named, StackInstanceRegion="eu-west-1")["Summaries"]
        return [one["Status"] for one in found] == ["CURRENT"]

    cloudformation.delete_stack_instances(
        **named, Accounts=[account.aws.account], Regions=["eu-west-1"], RetainStacks=False
    )
    account.until(lambda: not current(), "it is gone")
    account.sweep()
    account.until(current, "it is there again")
    account.quiet()


@pytest.fixture(scope="module")
def short_of_time(account: Account) -> None:
    """Runs that have time for one piece each: one calls the next, until none is left."""
    functions, sweep = account.aws.client("lambda"), "plumbline-sweep"
    before = functions.get_function_configuration(FunctionName=sweep)["Timeout"]
    piece = Unit(account.aws.account, "global", ("account-password-policy",)).to_json()
    since, share = account.latest_call(), Share(datetime.now(UTC) + timedelta(minutes=5))
    functions.update_function_configuration(FunctionName=sweep, Timeout=120)
    try:
        account.send(piece, piece, piece, to="units")
        account.aws.invoke(sweep, dict(share.to_event()))
        account.until(lambda: account.waiting("units") == 0, "every piece is done")
    finally:
        functions.update_function_configuration(FunctionName=sweep, Timeout=before)
    assert "Invoke" in [one.operation for one in account.calls_of("sweep", since)]
    account.quiet()


@pytest.mark.usefixtures("one_forwarder_less", "short_of_time")
@pytest.mark.parametrize("role", ["react", "sweep", "operate", "announce"])
def test_each_function_uses_every_permission_it_has_and_no_other(account: Account, role: str) -> None:
    """Runs last: by now every path has been walked."""
    resources = source()["Resources"]
    statements = resources[f"{role.capitalize()}Policy"]["Properties"]["PolicyDocument"]["Statement"]
    declared = {action for one in statements for action in _listed(one["Action"])}
    checks = [check for call in account.calls_of(role) for check in call.checks]
    used = {check.action for check in checks if check.allowed}
    gives_up = {"sqs:SendMessage"} if role == "announce" else set()
    assert declared - BY_LAMBDA - gives_up == used - BY_LAMBDA


def test_everything_that_was_written_says_which_form_it_has(account: Account) -> None:
    pages = account.aws.client("dynamodb", as_="root").get_paginator("scan")
    items = [one for page in pages.paginate(TableName=account.outputs["LedgerTable"]) for one in page["Items"]]
    assert len(items) > 50
    of_the_list = {"exemptions": {"N": str(ITEM_EACH)}}
    assert [] == [one["sk"]["S"] for one in items if one.get("v") != of_the_list.get(one["sk"]["S"], {"N": "1"})]


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _status_of(account: Account, finding: str) -> str:
    status: str = account.operate("show", finding)["data"]["status"]
    return status

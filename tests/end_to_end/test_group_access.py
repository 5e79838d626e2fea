"""Buckets and levels are declared, and people have exactly these rights there, with IAM enforced, whoever widens them.

The tests run in this order: each begins where the one before has ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from local import deployment
from local.embedded import EmbeddedAWS
from tests import built
from tests.controls.s3.grants import allowed
from tests.end_to_end.account import HOME, Account

BUCKET = "acme-data"
#: Far away: whoever has something until then has it today.
SAID: Mapping[str, Any] = {
    "region": HOME,
    "prefixes": {
        "raw": {"data-engineers": ["list", "read", "write", "delete"], "data-scientists": ["list", "read"]},
        "reports": {"data-scientists": ["list", "read", "write"]},
        "home": {"data-scientists": ["own"]},
    },
    "people": {"carl": {"until": "2099-12-31", "prefixes": {"reports": ["list", "read"]}}},
}
#: Who is in which group; all of them may do everything in S3 by a policy of their own.
PEOPLE = {
    "ann": ["data-engineers"],
    "bob": ["data-scientists"],
    "dora": ["data-engineers", "data-scientists"],
    "carl": [],
    "eve": [],
}
#: Whose addresses the roster knows, and who may have no keys.
ADDRESSED = ("bob", "dora")
PREFIXES = ("raw/", "reports/", "home/bob/", "home/dora/", "elsewhere/")
ALL_OF_S3 = "arn:aws:iam::aws:policy/AmazonS3FullAccess"


def _baseline(folder: Path) -> Path:
    written = yaml.safe_load(Path(__file__).with_name("baseline.yaml").read_text())
    keys = written["controls"].pop("iam-access-key-created")["allowed_users"]
    written["roster"] = {name: {"keys": True} for name in (*keys, *PEOPLE)}
    for name, groups in PEOPLE.items():
        written["roster"][name]["groups"] = groups
    for name in ADDRESSED:
        written["roster"][name] |= {"email": f"{name}@example.com", "keys": False}
    written["controls"]["s3-group-access"] = {"buckets": {BUCKET: dict(SAID)}}
    made = folder / "baseline.yaml"
    made.write_text(yaml.safe_dump(written))
    return made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account whose baseline declares a bucket, which an administrator makes once Plumbline looks."""
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("shared"), region=HOME) as aws:
        for name in PEOPLE:
            aws.user(name, policies=[ALL_OF_S3])
        built.build(aws, baseline=_baseline(tmp_path_factory.mktemp("baseline")))
        made = Account(aws, deployment.deploy(aws, {"AlertEmail": "security@example.com"}))
        made.first_sweep()
        iam = aws.client("iam")
        for group in ("data-engineers", "data-scientists"):
            iam.create_group(GroupName=group)
        aws.bucket(BUCKET)
        made.until(lambda: _policy(made), "the bucket has a policy")
        for name, groups in PEOPLE.items():
            for group in groups:
                iam.add_user_to_group(GroupName=group, UserName=name)
        made.until(lambda: "user/dora" in json.dumps(_policy(made)), "who joined last is in it")
        made.quiet()
        s3 = aws.client("s3")
        for prefix in PREFIXES:
            s3.put_object(Bucket=BUCKET, Key=f"{prefix}there", Body=b"x")
        yield made


def _policy(account: Account) -> Any:
    try:
        return json.loads(account.aws.client("s3").get_bucket_policy(Bucket=BUCKET)["Policy"])
    except ClientError:
        return None


def _by_sid(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(statements, key=lambda one: str(one["Sid"]))


def _does(account: Account, name: str, level: str, prefix: str) -> bool:
    """Whether somebody can do it."""
    s3 = account.aws.client("s3", as_=name)
    own = f"{prefix}{name}-new"
    try:
        if level == "list":
            s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        elif level == "read":
            s3.get_object(Bucket=BUCKET, Key=f"{prefix}there")
        elif level == "write":
            s3.put_object(Bucket=BUCKET, Key=own, Body=b"x")
        else:
            s3.delete_object(Bucket=BUCKET, Key=f"{prefix}nothing")
    except ClientError as refused:
        if refused.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def _matrix(account: Account) -> list[str]:
    """Everything that is not as the baseline says."""
    return [
        f"{name} {level} {prefix}: {can}"
        for name, groups in PEOPLE.items()
        for level in ("list", "read", "write", "delete")
        for prefix in PREFIXES
        if (can := _does(account, name, level, prefix))
        != allowed(SAID, name, groups, level, prefix, ended=False, keeps=False)
    ]


def test_everybody_can_do_what_his_groups_may_and_is_denied_all_else(shared: Account) -> None:
    """Whatever a policy of his own allows."""
    assert [] == _matrix(shared)


def test_what_somebody_widens_by_hand_is_put_back(shared: Account) -> None:
    before, since = _policy(shared), shared.latest_mail()
    everything = {
        "Sid": "Wide",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{shared.aws.account}:user/eve"},
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    }
    wide = {"Version": "2012-10-17", "Statement": [everything]}
    shared.aws.client("s3").put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(wide))
    shared.until(lambda: len((_policy(shared) or wide)["Statement"]) > 1, "our statements are there again")
    shared.quiet()
    assert _by_sid([everything, *before["Statement"]]) == _by_sid(_policy(shared)["Statement"]), (
        "what is not ours stays"
    )
    assert [] == _matrix(shared)
    assert shared.mail_about(f"repaired: bucket {BUCKET} ", since)


def test_who_leaves_a_group_loses_what_it_gave(shared: Account) -> None:
    shared.aws.client("iam").remove_user_from_group(GroupName="data-engineers", UserName="ann")
    shared.until(lambda: not _does(shared, "ann", "read", "raw/"), "she may not read any more")
    shared.quiet()
    assert not _does(shared, "ann", "list", "raw/")


def test_who_says_it_as_it_is(shared: Account) -> None:
    answer = shared.operate("who", BUCKET)
    assert answer["ok"], answer["text"]
    (bob,) = [one["may"] for one in answer["data"]["people"] if "user bob" in one["who"]]
    reads = {place for one in bob if "read" in one["may"] for place in one["below"]}
    assert {"home/(own name)/", "raw/", "reports/"} == reads
    assert not [one for one in answer["data"]["people"] if "user eve" in one["who"]]


def test_a_person_of_the_roster_hears_of_her_own_user_and_nobody_else_does(shared: Account) -> None:
    assert "2 of 2 addresses of the roster hear of their own users" in shared.operate("status")["text"]
    since = shared.latest_mail()
    shared.aws.client("iam").create_access_key(UserName="dora")
    shared.until(lambda: "Inactive" in shared.key_status("dora"), "the new one of her keys is Inactive")
    shared.quiet()
    told = [mail for mail in shared.aws.mail(since=since) if "of user dora" in mail.subject]
    assert ["dora@example.com", "security@example.com"] == sorted(mail.to for mail in told)
    (hers,) = (mail for mail in told if mail.to == "dora@example.com")
    assert hers.subject.startswith("[Plumbline] yours: access key ")
    assert {"address": "dora@example.com"} == hers.attributes
    assert "What was done" in hers.text

"""Lives through the days of an account with a deployed Plumbline and writes down what its ledger holds then.

This is how `version_0_1/` was recorded; its README says when to record again. Run in a checkout of the version to
record: it deploys that version's template and lets its functions do everything.

    python -m tests.upgrade.record version_0_1/baseline.yaml version_0_1/ledger.json
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from local import deployment
from local.embedded import EmbeddedAWS
from tests.end_to_end.account import Account

READS = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}}
)
_PATIENCE = 300.0
ROOT_SIGNS_IN = Path("events/root-activity/ConsoleLogin.json")


def public_policy(bucket: str) -> str:
    """A policy that lets everybody read a bucket's objects."""
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [everybody]})


def bucket(aws: EmbeddedAWS, name: str, *, acl: str = "", policy: str = "", by: str = "erin") -> None:
    """A bucket as they were made before AWS closed new ones, opened by somebody where `acl` or `policy` say so."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerPreferred")
    s3.delete_public_access_block(Bucket=name)
    if acl:
        aws.client("s3", as_=by).put_bucket_acl(Bucket=name, ACL=acl)
    if policy:
        aws.client("s3", as_=by).put_bucket_policy(Bucket=name, Policy=policy)


def user(aws: EmbeddedAWS, name: str, *, inline: str = "") -> None:
    """A user, with a policy of his own where one is given."""
    aws.client("iam").create_user(UserName=name)
    if inline:
        aws.client("iam", as_="mallory").put_user_policy(UserName=name, PolicyName="reads", PolicyDocument=inline)


def people(aws: EmbeddedAWS) -> None:
    """Who works here."""
    managed = "arn:aws:iam::aws:policy"
    aws.user("mallory", policies=[f"{managed}/PowerUserAccess", f"{managed}/IAMFullAccess"])
    aws.user("erin", policies=[f"{managed}/PowerUserAccess"])


def before(aws: EmbeddedAWS) -> None:
    """What is out of line before Plumbline comes."""
    bucket(aws, "old-site", acl="public-read")
    bucket(aws, "old-share", acl="public-read")
    user(aws, "old-hand", inline=READS)


def live(account: Account) -> None:
    """What people do, and what Plumbline does about it."""
    aws = account.aws

    def status(target: str) -> str:
        found = account.operate("findings")["data"]["findings"]
        return next((one["status"] for one in found if one["target"].endswith(f"/{target}")), "")

    def short(target: str) -> str:
        found = account.operate("findings")["data"]["findings"]
        return str(next(one["id"] for one in found if one["target"].endswith(f"/{target}")))

    def until(holds: Callable[[], object], what: str) -> None:
        aws.wait(holds, timeout=_PATIENCE, what=what)

    account.sweep()
    until(lambda: account.mail_about("digest: "), "the first digest")
    for name in ("acme-data", "acme-logs", "acme-twice"):
        bucket(aws, name, acl="public-read")
        until(lambda name=name: account.mail_about(f"repaired: bucket {name} "), name)  # type: ignore[misc]
    user(aws, "dora", inline=READS)
    until(lambda: account.mail_about("repaired: .*dora"), "dora's policy is converted")
    account.quiet()
    for command in account.mail_about("repaired: bucket acme-logs "):
        typed = command.text.partition("plumbline undo ")[2].split()[0]
        assert account.operate("undo", typed)["ok"]
    aws.client("s3", as_="erin").put_bucket_acl(Bucket="acme-twice", ACL="public-read")
    until(lambda: len(account.mail_about("repaired: bucket acme-twice ")) > 1, "its second life")
    bucket(aws, "acme-shop", policy=public_policy("acme-shop"))
    until(lambda: account.mail_about("acme-shop"), "a proposal")
    with account.denied("hands", "s3:PutBucketAcl"):
        bucket(aws, "acme-stuck", acl="public-read")
        until(lambda: status("acme-stuck") == "failed", "three tries fail")
    for share in (short("old-share"),):
        words = ("exempt", share, "--days", "30", "--owner", "erin", "--reason", "moves in May")
        assert account.operate(*words)["ok"]
    assert account.operate("pause", "iam-groups", "--hours", "72", "--reason", "migration")["ok"]
    aws.inject(json.loads(ROOT_SIGNS_IN.read_text()))
    until(lambda: account.mail_about("seen: the root user"), "root is told of")
    account.sweep()


def main(baseline: Path, written: Path) -> None:
    """Record."""
    with tempfile.TemporaryDirectory() as state, EmbeddedAWS.start(state=Path(state) / "aws") as aws:
        people(aws)
        before(aws)
        deployment.build(aws, baseline=baseline.resolve())
        outputs = deployment.deploy(aws, {"AlertEmail": "security@example.com"})
        live(Account(aws, outputs))
        pages = aws.client("dynamodb", as_="root").get_paginator("scan").paginate(TableName=outputs["LedgerTable"])
        items = sorted((one for page in pages for one in page["Items"]), key=json.dumps)
        written.write_text(json.dumps(items, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

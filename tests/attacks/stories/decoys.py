"""Noise: what is there to use up breakers and e-mails, so that the one thing that matters is not told."""

from __future__ import annotations

from tests.attacks.attack import ADMINISTRATOR, EVERYTHING, Attack, Attacker, Deed, Told, Way, blow
from tests.attacks.attackers import IAM_FULL, S3
from tests.attacks.stage import Stage

_DECOYS = 12


def _decoys(stage: Stage, who: Attacker) -> None:
    """More violations of one control than its breaker takes, and then the one that is meant."""
    iam = stage.client("iam", who.name)
    for number in range(_DECOYS):
        name = f"decoy-{number}"
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=EVERYTHING)
    iam.create_user(UserName="backdoor")
    iam.attach_user_policy(UserName="backdoor", PolicyArn=ADMINISTRATOR)


def _letters(stage: Stage, _who: Attacker) -> None:
    """More small things than there are e-mails in an hour, by somebody else."""
    s3 = stage.client("s3", S3.name)
    for number in range(22):
        name = f"decoy-{number}-acme"
        s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerPreferred")
        s3.delete_public_access_block(Bucket=name)
        s3.put_bucket_acl(Bucket=name, ACL="public-read")


STORIES = (
    Attack(
        "ten decoys and more, and then the one that is meant",
        IAM_FULL,
        (Deed("a dozen administrators, then one called backdoor", _decoys),),
        Told(Way.HOUSE, ("backdoor",)),
    ),
    Attack(
        "an administrator made after more e-mails than an hour has",
        IAM_FULL,
        (blow("iam", "attach_user_policy", UserName="<my-name>", PolicyArn=ADMINISTRATOR),),
        Told(Way.EVENT, ("<my-name>", "administrator")),
        before=(Deed("two dozen buckets opened to everybody, by another", _letters),),
    ),
)

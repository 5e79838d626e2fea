"""Who attacks. PowerUserAccess, IAMFullAccess and their kind are AWS's own documents, not an idea of them."""

from __future__ import annotations

from tests.attacks.attack import ELSEWHERE, Attacker

#: What came after Plumbline: what he could do to it is taken from him as soon as he could.
POWER = Attacker("pat", "PowerUserAccess", policies=("PowerUserAccess",))
LAMBDA = Attacker("lena", "lambda:*", allowed=("lambda:*",))
EVENTS = Attacker("evan", "events:*", allowed=("events:*",))
SNS = Attacker("sonia", "sns:*", allowed=("sns:*",))
SQS = Attacker("sven", "sqs:*", allowed=("sqs:*",))
CLOUDWATCH = Attacker("cleo", "cloudwatch:*", allowed=("cloudwatch:*",))
CLOUDFORMATION = Attacker("carl", "cloudformation:*", allowed=("cloudformation:*",))
DYNAMODB = Attacker("dina", "dynamodb:*", allowed=("dynamodb:*",))
LOGS = Attacker("lou", "logs:*", allowed=("logs:*",))
CLOUDTRAIL = Attacker("tara", "cloudtrail:*", allowed=("cloudtrail:*",))
ACCOUNT = Attacker("ada", "account:*", allowed=("account:*",))
S3 = Attacker("sid", "s3:*", allowed=("s3:*",))
PASSER = Attacker(
    "paul",
    "lambda:*, events:*, and iam:PassRole of Plumbline's roles",
    allowed=("lambda:*", "events:*"),
    passes="arn:aws:iam::*:role/plumbline/*",
)

#: Rights in one other region alone.
REGIONAL = Attacker(
    "rita",
    f"events:*, sqs:* and cloudformation:* in {ELSEWHERE} alone",
    allowed=("events:*", "sqs:*", "cloudformation:*"),
    within=f"arn:aws:*:{ELSEWHERE}:*:*",
)

#: One action each.
INVOKER = Attacker("ivan", "lambda:InvokeFunction", allowed=("lambda:InvokeFunction",))
SENDER = Attacker("sally", "sqs:SendMessage", allowed=("sqs:SendMessage",))
WRITER = Attacker("wanda", "dynamodb:PutItem", allowed=("dynamodb:PutItem",))
PUTTER = Attacker("peter", "events:PutEvents", allowed=("events:PutEvents",))
PUBLISHER = Attacker("petra", "sns:Publish", allowed=("sns:Publish",))
ASSUMER = Attacker("asta", "sts:AssumeRole", allowed=("sts:AssumeRole",))

#: Nothing can be attached to these.
PERMISSION_SET = Attacker(
    "AWSReservedSSO_PowerUserAccess_fedcba9876543210",
    "PowerUserAccess",
    policies=("PowerUserAccess",),
    identity_center=True,
)
FULL = Attacker("fred", "PowerUserAccess", policies=("PowerUserAccess",), full=True)

#: Was there before Plumbline, and a person has not decided yet.
IAM_FULL = Attacker("mallory", "IAMFullAccess", policies=("IAMFullAccess",), before=True)
OLD_LAMBDA = Attacker("olaf", "lambda:*", allowed=("lambda:*",), before=True)
OLD_EVENTS = Attacker("oda", "events:*", allowed=("events:*",), before=True)
OLD_SNS = Attacker("oscar", "sns:*", allowed=("sns:*",), before=True)
OLD_CLOUDWATCH = Attacker("otto", "cloudwatch:*", allowed=("cloudwatch:*",), before=True)
OLD_SQS = Attacker("olga", "sqs:*", allowed=("sqs:*",), before=True)
OLD_DYNAMODB = Attacker("orla", "dynamodb:*", allowed=("dynamodb:*",), before=True)
OLD_CLOUDTRAIL = Attacker("omar", "cloudtrail:*", allowed=("cloudtrail:*",), before=True)
OLD_PASSER = Attacker(
    "otis",
    "cloudformation:*, events:*, and iam:PassRole of Plumbline's roles",
    allowed=("cloudformation:*", "events:*"),
    passes="arn:aws:iam::*:role/plumbline/*",
    before=True,
)
OLD_CLOUDFORMATION = Attacker("oleg", "cloudformation:*", allowed=("cloudformation:*",), before=True)

#: Whom the baseline names, and who was there before anybody.
DEPLOYER = Attacker(
    "dora",
    "AWSCloudFormationFullAccess and iam:PassRole of Plumbline's roles; named in `deployers`",
    policies=("AWSCloudFormationFullAccess",),
    passes="arn:aws:iam::*:role/plumbline/*",
    before=True,
    trusted=True,
)
#: Nobody has to let him in: he deploys.
ADMIN = Attacker("admin", "AdministratorAccess", trusted=True)

ATTACKERS = (
    IAM_FULL, OLD_LAMBDA, OLD_EVENTS, OLD_SNS, OLD_CLOUDWATCH, OLD_SQS, OLD_DYNAMODB, OLD_CLOUDFORMATION,
    OLD_CLOUDTRAIL, OLD_PASSER, DEPLOYER,
    POWER, LAMBDA, EVENTS, SNS, SQS, CLOUDWATCH, CLOUDFORMATION, DYNAMODB, LOGS, CLOUDTRAIL, ACCOUNT, S3, PASSER,
    REGIONAL, INVOKER, SENDER, WRITER, PUTTER, PUBLISHER, ASSUMER, PERMISSION_SET, FULL,
)  # fmt: skip

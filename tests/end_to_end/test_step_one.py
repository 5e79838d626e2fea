"""The first hour of an account of one's own: root, and what watches the bill, each told and put right in one story.

An account on the Free plan without billing alerts, alarm, budget or monitor gets Plumbline; its owner confirms that he
hears. The chapters run in this order: each begins where the one before has ended. Home is us-east-1, where the alarm on
the bill tells a topic; from a home elsewhere a forwarder tells of it, see test_stories.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import deployment
from local.embedded import ACCOUNT, EmbeddedAWS, Mail
from local.moto_billing import PREFERENCE
from plumbline.controls.billing._alarms import METRIC
from tests import built
from tests.end_to_end.account import VIRGINIA, Account

OWNER = "security@example.com"
#: The owner wants what watches his bill at once, and not after a week.
BASELINE = f"""\
regions: [{VIRGINIA}]
controls:
  billing-alarm: {{threshold_usd: 25, clocks: {{found-by-sweep: {{act: 0}}}}}}
  billing-budget: {{budget: {{amount_usd: 50, emails: [{OWNER}]}}, clocks: {{found-by-sweep: {{act: 0}}}}}}
  billing-anomalies: {{emails: [{OWNER}], threshold_usd: 20, clocks: {{found-by-sweep: {{act: 0}}}}}}
"""
TOPIC = f"arn:aws:sns:{VIRGINIA}:{ACCOUNT}:plumbline-alerts"
#: What the console says. Source: IAM user guide, Delete access keys for the root user, and Enable a virtual MFA device
#: for the root user: the account's name, Security credentials, and then a section of that page.
AT_THE_CONSOLE = "Sign in as root, choose the account's name at the upper right and then Security credentials; "


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The account once Plumbline has looked through it for the first time, and nobody has confirmed anything."""
    baseline = tmp_path_factory.mktemp("baseline") / "baseline.yaml"
    baseline.write_text(BASELINE)
    state = tmp_path_factory.mktemp("first")
    with EmbeddedAWS.start(state=state, region=VIRGINIA, confirm_mail=False) as aws:
        plan = {
            "accountPlanType": "FREE",
            "accountPlanStatus": "ACTIVE",
            "accountPlanRemainingCredits": {"amount": 163.2, "unit": "USD"},
            "accountPlanExpirationDate": _ends().timestamp(),
        }
        aws.bill(plan=plan, preferences={PREFERENCE: "DISABLED"})
        built.build(aws, baseline=baseline)
        made = Account(aws, deployment.deploy(aws, {"AlertEmail": OWNER, "AdoptionGraceDays": "0"}))
        made.first_sweep()
        yield made


def _ends() -> datetime:
    return (datetime.now(timezone.utc) + timedelta(days=60)).replace(hour=0, minute=0, second=0, microsecond=0)


# --- what watches the bill, as the account's own APIs show it -------------------------------------------


def _preference(account: Account) -> str:
    billing = account.aws.client("billing", region=VIRGINIA)
    (one,) = billing.get_billing_preferences(features=["BILLING_ALERTS"])["billingPreferences"]
    return str(one["value"])


def _charges_arrive(account: Account) -> None:
    """A quarter of an hour goes by, after which AWS publishes the charges.

    Source: Amazon CloudWatch user guide, Create a billing alarm to monitor your estimated AWS charges.
    """
    datum = {**{name: METRIC[name] for name in ("MetricName", "Dimensions")}, "Value": 1.0}
    account.aws.client("cloudwatch", region=VIRGINIA).put_metric_data(Namespace=METRIC["Namespace"], MetricData=[datum])


def _alarm(account: Account) -> dict[str, Any]:
    found = account.aws.client("cloudwatch", region=VIRGINIA).describe_alarms(AlarmNames=["plumbline-billing"])
    names = ("Namespace", "MetricName", "Dimensions", "Threshold", "AlarmActions")
    return {name: one[name] for one in found["MetricAlarms"] for name in names}


def _listeners(account: Account) -> list[str]:
    """Who has confirmed that he hears the alarm's topic."""
    listed = account.aws.client("sns", region=VIRGINIA).list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    return [one["Endpoint"] for one in listed if one["SubscriptionArn"].startswith("arn:") and "@" in one["Endpoint"]]


def _budget(account: Account) -> dict[str, Any]:
    """The budget's limit, and whom it tells of what; nothing where there is none."""
    budgets, of = account.aws.client("budgets", region=VIRGINIA), {"AccountId": ACCOUNT}
    named = {**of, "BudgetName": "plumbline-monthly"}
    try:
        limit = budgets.describe_budget(**named)["Budget"]["BudgetLimit"]
    except ClientError:
        return {}
    warnings = budgets.describe_notifications_for_budget(**named)["Notifications"]
    told = {
        f"{one['NotificationType']} {one['Threshold']:g}": [
            each["Address"]
            for each in budgets.describe_subscribers_for_notification(
                **named,
                Notification={key: value for key, value in one.items() if key != "NotificationState"},
            )["Subscribers"]
        ]
        for one in warnings
    }
    return {"limit": (float(limit["Amount"]), limit["Unit"]), "told": told}


def _monitors(account: Account) -> list[str]:
    ce = account.aws.client("ce", region=VIRGINIA)
    return [one["MonitorArn"] for one in ce.get_anomaly_monitors()["AnomalyMonitors"]
            if one.get("MonitorDimension") == "SERVICE"]  # fmt: skip


def _subscriptions(account: Account) -> list[dict[str, Any]]:
    listed = account.aws.client("ce", region=VIRGINIA).get_anomaly_subscriptions()["AnomalySubscriptions"]
    return [
        {
            "monitors": one["MonitorArnList"],
            "told": [each["Address"] for each in one["Subscribers"]],
            "from": one["ThresholdExpression"]["Dimensions"]["Values"],
        }
        for one in listed
    ]


# --- what people read -----------------------------------------------------------------------------------


def _text(mail: Mail) -> str:
    return " ".join(mail.text.split())


def _told(account: Account, subject: str, since: int) -> str:
    """The text of the one e-mail about something, once it is there."""
    account.until(lambda: account.mail_about(subject, since), f"an e-mail about {subject}")
    account.quiet()
    (mail,) = account.mail_about(subject, since)
    return _text(mail)


def _open(account: Account, control: str) -> list[Mapping[str, Any]]:
    return [one for one in account.operate("findings")["data"]["findings"] if one["control"] == control]


# --- the story ------------------------------------------------------------------------------------------


def test_nothing_is_made_before_somebody_has_confirmed_that_he_hears(first: Account) -> None:
    assert ("DISABLED", {}, {}, [], []) == (
        _preference(first), _alarm(first), _budget(first), _monitors(first), _listeners(first),
    )  # fmt: skip
    assert [] == first.aws.mail()
    assert 2 == first.aws.confirm_mail(OWNER), "of its alerts, and of its own troubles"
    assert [OWNER] == _listeners(first)


def test_root_who_signs_in_without_mfa_is_told_at_once_with_what_to_do_if_it_was_somebody_else(first: Account) -> None:
    since = first.latest_mail()
    first.aws.root_signs_in()
    told = _told(first, "seen: the root user signed in to the console without MFA", since)
    assert "If it was not you, act now: choose Forgot password? on the sign-in page and set a new one" in told
    assert "remove every access key and MFA device that you do not know, and call AWS Support" in told


def test_a_key_of_roots_is_told_at_once_as_critical_with_what_to_click(first: Account) -> None:
    """Source: IAM user guide, Delete access keys for the root user."""
    since = first.latest_mail()
    first.aws.client("iam", as_="root").create_access_key()
    told = _told(first, "found: the root user has an access key", since)
    assert f"{AT_THE_CONSOLE}in the section Access keys select the key, and under Actions choose Delete" in told
    assert "rule root-access-keys, severity critical, account" in told
    assert 1 == len(first.mail_about("root", since)), "the session was told of when it began"


def test_the_next_sweep_tells_what_is_missing_what_comes_of_it_and_what_to_click(first: Account) -> None:
    """AWS makes a new credential report every four hours; here it has just done so.

    Source: IAM user guide, Generate credential reports for your AWS account.
    """
    first.aws.client("iam").generate_credential_report()
    first.sweep()
    used = _told(first, "found: the root user has neither a new password", 0)
    assert f"{AT_THE_CONSOLE}under Multi-factor authentication (MFA) choose Assign MFA device, and remove" in used
    digest = _told(first, "digest: ", 0)
    assert (
        f"the root user has no second factor (MFA) not repaired: only root can. {AT_THE_CONSOLE}under Multi-" in digest
    )
    free = f"the account is on AWS's Free plan, which ends on {_ends():%Y-%m-%d} or when its credits are used up"
    assert f"{free}; 163.20 USD of credits are left" in digest
    assert "open the Billing and Cost Management console as root or as an administrator, and choose Upgrade" in digest
    assert "the preference on the bill is off: CloudWatch does not get the month's charges" in digest
    assert "the account's bill has no budget that warns as the baseline declares" in digest


def test_billing_alerts_alarm_and_budget_are_made_and_somebody_hears_them(first: Account) -> None:
    _charges_arrive(first)
    first.sweep()
    first.until(lambda: _alarm(first) and _budget(first) and _preference(first) == "ENABLED", "all three are there")
    first.quiet()
    assert {
        "Namespace": "AWS/Billing",
        "MetricName": "EstimatedCharges",
        "Dimensions": [{"Name": "Currency", "Value": "USD"}],
        "Threshold": 25.0,
        "AlarmActions": [TOPIC],
    } == _alarm(first)
    assert [OWNER] == _listeners(first)
    everybody = {warning: [OWNER] for warning in ("ACTUAL 80", "ACTUAL 100", "FORECASTED 100")}
    assert {"limit": (50.0, "USD"), "told": everybody} == _budget(first)
    for what in ("the alarm on the bill was", "the preference on the bill was", "the account's bill had no"):
        _told(first, f"repaired: {what}", 0)
    assert [] == first.mail_about("not converged|repair failed|the metric on the bill"), "each is whole by itself"


def test_the_monitor_of_anomalies_is_made_and_then_whom_it_tells(first: Account) -> None:
    """Its look comes once a week, and at once when an event tells of a change: somebody tries a monitor of his own."""
    ce = first.aws.client("ce", region=VIRGINIA)
    own = {"MonitorName": "by-tag", "MonitorType": "CUSTOM", "MonitorSpecification": {"Tags": {"Key": "team"}}}
    tried = ce.create_anomaly_monitor(AnomalyMonitor=own)["MonitorArn"]
    first.until(lambda: _monitors(first), "services are monitored")
    ce.delete_anomaly_monitor(MonitorArn=tried)
    first.until(lambda: _subscriptions(first), "somebody is told of anomalies")
    first.quiet()
    (monitor,) = _monitors(first)
    assert [{"monitors": [monitor], "told": [OWNER], "from": ["20"]}] == _subscriptions(first)
    told = _told(first, "repaired: the monitor of cost anomalies was missing", 0)
    assert "what is made stays, for AWS names it only then; it costs nothing" in told


def test_each_is_taken_back_by_the_command_in_its_email(first: Account) -> None:
    for repaired in ("the alarm on the bill", "the preference on the bill", "the account's bill"):
        found = re.search(r"plumbline undo (\w+)", _told(first, f"repaired: {repaired}", 0))
        assert found, repaired
        answer = first.operate("undo", found[1])
        assert answer["ok"], answer["text"]
    assert ("DISABLED", {}, {}) == (_preference(first), _alarm(first), _budget(first))


def test_what_root_puts_right_at_the_console_is_resolved_and_asked_of_nobody_any_more(first: Account) -> None:
    since, root = first.latest_mail(), first.aws.client("iam", as_="root")
    open_ones = [one for name in ("access-keys", "mfa", "rotation") for one in _open(first, f"root-{name}")]
    assert 3 == len(open_ones)
    first.aws.root_assigns_mfa("phone")
    for one in root.list_access_keys()["AccessKeyMetadata"]:
        root.delete_access_key(AccessKeyId=one["AccessKeyId"])
    first.until(lambda: not _open(first, "root-mfa") and not _open(first, "root-access-keys"), "both are over")
    first.sweep()
    shown = [first.operate("show", one["id"])["text"] for one in open_ones]
    assert ["resolved"] * 3 == [re.findall(r"Status +(.+)", one)[0] for one in shown], "a new device is a change too"
    assert [] == first.mail_about("root", since)

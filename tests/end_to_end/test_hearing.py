"""Nobody hears, somebody hears, nobody hears any more: what a real deployment does, and where it says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local import deployment
from local.embedded import EmbeddedAWS
from tests import built
from tests.end_to_end.account import HOME, VIRGINIA, Account

ANN = "security@example.com"
#: What came while nobody heard is as old as nobody knows, and would wait for a day more: longer than a story lasts.
BASELINE = f"""\
regions: [{", ".join({HOME, VIRGINIA})}]
controls: {{iam-access-key-created: {{clocks: {{found-by-sweep: {{act: 0}}}}}}}}
"""


@pytest.fixture(scope="module")
def unheard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account with Plumbline deployed, whose confirmation e-mails nobody has answered."""
    baseline = tmp_path_factory.mktemp("baseline") / "baseline.yaml"
    baseline.write_text(BASELINE)
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("unheard"), region=HOME, confirm_mail=False) as aws:
        built.build(aws, baseline=baseline)
        parameters = {"AlertEmail": ANN, "EscalationEmail": "ciso@example.com", "AdoptionGraceDays": "0"}
        made = Account(aws, deployment.deploy(aws, parameters))
        made.quiet()
        yield made


def _by_the_watchdog(account: Account) -> list[str]:
    """What its topic has told of who hears, the subjects."""
    told = [one.subject for one in account.aws.mail() if one.topic.endswith("-watchdog")]
    return [one for one in told if "] heard: " in one or "] unheard: " in one]


def _fresh_key(account: Account) -> str:
    """A user for whom an administrator has just made a key that the baseline does not list."""
    user = account.user()
    account.aws.client("iam").create_access_key(UserName=user)
    account.quiet()
    return user


def test_what_happens_while_nobody_hears_is_repaired_once_it_was_heard_and_losing_that_stops_nothing(
    unheard: Account,
) -> None:
    account = unheard
    account.sweep()
    user, since = _fresh_key(account), account.latest_call()
    assert ["Active"] == account.key_status(user), "repaired, and nobody has ever confirmed"
    assert [] == account.aws.mail()
    status = account.operate("status")["text"]
    assert "!! NOBODY HAS EVER CONFIRMED: NOTHING IS REPAIRED !!" == status.splitlines()[0]
    assert f"--notification-endpoint {ANN}".replace(".com", r"\.com") in status
    assert [] == [call.operation for call in account.calls_of("hands", since)]

    account.aws.confirm_mail(ANN)
    account.sweep()
    account.until(lambda: account.mail_about("digest: "), "the digest")
    account.quiet()
    (digest,) = account.mail_about("digest: ")
    assert user in digest.text
    assert ["[Plumbline] heard: somebody hears"] == _by_the_watchdog(account)
    account.sweep()
    account.until(lambda: account.key_status(user) == ["Inactive"], "what was heard of is repaired")

    sns, topic = account.aws.client("sns"), account.outputs["AlertsTopicArn"]
    for one in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        if one["Endpoint"] == ANN:
            sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    later = _fresh_key(account)
    account.until(lambda: account.key_status(later) == ["Inactive"], "repaired though nobody hears any more")
    account.sweep()
    assert "[Plumbline] unheard: nobody hears any more" == _by_the_watchdog(account)[-1]
    assert account.operate("status")["text"].startswith("!! NOBODY HEARS Plumbline's e-mails any more")

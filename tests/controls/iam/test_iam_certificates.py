"""iam-certificates: what has expired is told, what is valid is not."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from plumbline.controls.iam.iam_certificates import CONTROL, describe, detect, observe, survey
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, Target
from tests.story import ACCOUNT, Story, World, world

SHOP = Target(ACCOUNT, GLOBAL, "iam-server-certificate", "shop")
NOW = datetime.now(timezone.utc)
KEY = ec.generate_private_key(ec.SECP256R1())


def _certificate(until: datetime) -> str:
    """A certificate of its own, valid for a year until then."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example.com")])
    made = x509.CertificateBuilder(name, name, KEY.public_key(), x509.random_serial_number())
    signed = made.not_valid_before(until - timedelta(days=365)).not_valid_after(until).sign(KEY, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def _upload(world: World, name: str, until: datetime) -> Target:
    world.client("iam").upload_server_certificate(
        ServerCertificateName=name, CertificateBody=_certificate(until), PrivateKey="kept by IAM"
    )
    return Target(ACCOUNT, GLOBAL, "iam-server-certificate", name)


STORIES = (
    Story("it has expired", CONTROL.id, lambda told: _upload(told, "shop", NOW - timedelta(days=3)), alert_only=True),
)


def test_what_has_expired_is_told_with_the_day_and_what_is_valid_is_not() -> None:
    with world() as told:
        _upload(told, "shop", NOW - timedelta(hours=1))
        _upload(told, "next", NOW + timedelta(days=1))
        seen = survey(told.accounts.eyes(ACCOUNT, GLOBAL))
    day = (NOW - timedelta(hours=1)).date().isoformat()
    assert {"shop": Deviation(f"expired on {day}", ("expired",)), "next": None} == {
        target.id: detect(state, {}) for target, state in seen.items()
    }


def test_a_look_is_judged_by_when_it_began() -> None:
    with world() as told:
        _upload(told, "shop", NOW + timedelta(days=1))
        eyes = told.accounts.eyes(ACCOUNT, GLOBAL)
        before = observe(eyes, SHOP)
        eyes.now = NOW + timedelta(days=2)
        after = observe(eyes, SHOP)
    day = (NOW + timedelta(days=1)).date().isoformat()
    assert (f"valid until {day}", f"expired on {day}") == (describe(before), describe(after))


def test_one_that_says_nothing_of_its_end_is_not_taken_for_expired() -> None:
    state = {"name": "shop", "until": "", "expired": False}
    assert (None, "AWS does not say until when it is valid") == (detect(state, {}), describe(state))


def test_a_certificate_is_found_in_any_spelling_and_gone_when_it_is_deleted() -> None:
    with world() as told:
        _upload(told, "Shop", NOW + timedelta(days=1))
        eyes = told.accounts.eyes(ACCOUNT, GLOBAL)
        seen = observe(eyes, SHOP)
        told.client("iam").delete_server_certificate(ServerCertificateName="Shop")
        gone = observe(told.accounts.eyes(ACCOUNT, GLOBAL), SHOP)
    assert ("Shop", None, None) == (CONTROL.spell(SHOP, seen).id, gone, detect(gone, {}))

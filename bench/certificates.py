"""Certificates for AWS's host names, from an authority that is made for the run and trusted by nobody else.

As AWS's are, they are RSA of 2,048 bits, and signed by an authority between theirs and the root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

#: A wildcard stands for one label: global services, regional ones, and buckets.
NAMES = (
    "*.amazonaws.com",
    "*.us-east-1.amazonaws.com",
    "*.s3.us-east-1.amazonaws.com",
    "*.s3.amazonaws.com",
)
_VALID = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM.

    Attributes:
        root: the authority's own certificate, for those who are to trust it.
        chain: the server's certificate and the one between.
        key: the server's key.
    """

    root: Path
    chain: Path
    key: Path


@dataclass(frozen=True, slots=True)
class _Authority:
    name: x509.Name
    key: rsa.RSAPrivateKey

    def signed(self, subject: x509.Name, key: rsa.RSAPrivateKey, *, names: Sequence[str] = ()) -> x509.Certificate:
        """A certificate for a key; an authority's where it names no hosts."""
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(subject_name=subject, issuer_name=self.name, public_key=key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _VALID)
            .not_valid_after(now + _VALID)
            .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        )
        if names:
            made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False)
        return made.sign(self.key, hashes.SHA256())


def issue(folder: Path, names: Sequence[str] = NAMES) -> Certificates:
    """Make an authority and a certificate for host names, and write them into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    root, between, server = (_Authority(_named(one), _key()) for one in ("bench root", "bench issuing", "bench"))
    files = Certificates(folder / "root.pem", folder / "chain.pem", folder / "key.pem")
    files.root.write_bytes(_pem(root.signed(root.name, root.key)))
    chain = [between.signed(server.name, server.key, names=names), root.signed(between.name, between.key)]
    files.chain.write_bytes(b"".join(map(_pem, chain)))
    files.key.write_bytes(
        server.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)

"""Certificates with their private keys, for the tests in which an application proves itself with one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)  # noqa: TID251 - certificates and assertions are checked against the machine's time


@dataclass
class Pair:
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    def public_pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def pem(self, password: bytes | None = None) -> bytes:
        encryption = BestAvailableEncryption(password) if password else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption) + self.public_pem().encode()


def make_pair() -> Pair:
    """Make a key and a certificate of it that is good today."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "reclaim")])
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
    )
    return Pair(key, builder.sign(key, hashes.SHA256()))

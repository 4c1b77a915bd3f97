"""The applications that an admin has registered in the practice tenant: how each proves itself and what it may do.

There are two, so that reading and writing can be told apart: `main`, and `writer`, which may write and nothing else.
Source of the assertion: active-directory-certificate-credentials (claims, the thumbprint in the header, RS256 or PS256).
"""

import hmac
from dataclasses import dataclass, field

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from rehearsal.permissions import WRITE_LICENSES, WRITE_MEMBERS

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAIN, WRITER = "main", "writer"
WRITER_GRANTED = WRITE_LICENSES | WRITE_MEMBERS


@dataclass(slots=True)
class Application:
    """One app registration.

    Attributes:
        granted: The application permissions that an admin has consented to.
        keys: The public keys of the certificates that were uploaded for it, by SHA-256 thumbprint in hex.
    """

    name: str
    client_id: str
    secret: str
    granted: frozenset[str]
    keys: dict[str, RSAPublicKey] = field(default_factory=dict)

    def knows_secret(self, secret: str) -> bool:
        """Say whether this is the application's secret."""
        return hmac.compare_digest(secret.encode(), self.secret.encode())

    def upload(self, pem: str) -> None:
        """Take a certificate, as an admin uploads it.

        Raises:
            ValueError: It is no PEM certificate of an RSA key.
        """
        found = x509.load_pem_x509_certificate(pem.encode())
        key = found.public_key()
        if not isinstance(key, RSAPublicKey):
            message = "the certificate has no RSA key"
            raise ValueError(message)
        self.keys[found.fingerprint(hashes.SHA256()).hex()] = key

    def signed(self, assertion: str, *, audience: str) -> bool:
        """Say whether one of the certificates signed this assertion for this application and this token service."""
        for key in self.keys.values():
            try:
                jwt.decode(
                    assertion,
                    key,
                    algorithms=["RS256", "PS256"],
                    audience=audience,
                    issuer=self.client_id,
                    subject=self.client_id,
                    options={"require": ["aud", "iss", "sub", "exp", "jti"]},
                )
            except jwt.InvalidTokenError:
                continue
            return True
        return False

"""Certificates made in the test: an authority, what it vouches for, and servers that show it."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """Signs certificates into a folder; `file` is its own, to be trusted."""

    folder: object
    name: str
    key: object
    certificate: x509.Certificate

    @property
    def file(self):
        return self.folder / f"{self.name}.pem"

    def issue(self, name, *, days=(-1, 1), host=LOOPBACK, password=None):
        """A certificate and key in two files, good between two days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _builder(name, self.certificate.subject, key, days)
        made = made.add_extension(x509.SubjectAlternativeName([host]), critical=False)
        _write(self.folder / f"{name}.pem", made.sign(self.key, hashes.SHA256()))
        hidden = BestAvailableEncryption(password) if password else NoEncryption()
        data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden)
        (self.folder / f"{name}.key").write_bytes(data)
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"


def authority(folder, name="authority"):
    key = ec.generate_private_key(ec.SECP256R1())
    made = _builder(name, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, (-9, 9))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = made.sign(key, hashes.SHA256())
    _write(folder / f"{name}.pem", certificate)
    return Authority(folder, name, key, certificate)


def server_context(certificate, key, *, clients=None, newest=ssl.TLSVersion.TLSv1_3):
    """TLS for a server, which asks for a certificate of the authority `clients` when given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.maximum_version = newest
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients.file)
    return context


def _builder(name, issuer, key, days):
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * DAY - DAY)
        .not_valid_after(now + days[1] * DAY)
    )


def _write(file, certificate):
    file.write_bytes(certificate.public_bytes(Encoding.PEM))

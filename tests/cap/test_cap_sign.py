"""A signed CAP message is still a right one, and a changed one is found out."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_cap import SCHEMA, ZONES, config, warning

from opencram.adapters.cap import CapBook
from opencram.adapters.cap_check import check


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A private key and its certificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "site.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    builder = builder.not_valid_after(datetime(2090, 1, 1, tzinfo=UTC)).add_extension(constraints, critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    key_file, certificate_file = tmp_path / "key.pem", tmp_path / "certificate.pem"
    encryption = serialization.NoEncryption()
    private = serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, private, encryption))
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return key_file, certificate_file


def test_a_signed_message_is_right_and_a_changed_one_is_not(pair: tuple[Path, Path]) -> None:
    from opencram.adapters.cap_sign import CapSigner, verify

    message = CapBook(config(), ZONES).take(warning())
    assert message is not None
    signed = CapSigner(*pair).sign(message.xml)
    assert check(signed, schema=SCHEMA) == []
    certificate = pair[1].read_text()
    assert verify(signed, certificate)
    assert not verify(signed.replace(b"Exercise<", b"Actual<"), certificate)
    assert not verify(message.xml, certificate)

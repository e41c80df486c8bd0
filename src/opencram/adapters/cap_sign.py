"""Sign CAP messages with XML-DSIG, enveloped, and verify them.  Needs signxml (`opencram[live]`)."""

from pathlib import Path
from typing import Any

from opencram.adapters.cap_check import parse


class CapSigner:
    """Signs with the private key and certificate of two PEM files."""

    def __init__(self, key_file: str | Path, certificate_file: str | Path) -> None:
        self._key = Path(key_file).read_bytes()
        self._certificate = Path(certificate_file).read_text(encoding="ascii")

    def sign(self, xml: bytes) -> bytes:
        """Return the message with its signature as the last element."""
        from lxml import etree
        from signxml import methods
        from signxml.signer import XMLSigner

        signer = XMLSigner(method=methods.enveloped)
        signed: Any = signer.sign(parse(xml), key=self._key, cert=self._certificate)
        out: bytes = etree.tostring(signed, encoding="UTF-8", xml_declaration=True)
        return out


def verify(xml: bytes, certificate: str) -> bool:
    """Return whether `xml` bears a whole signature by the holder of this certificate (PEM)."""
    from signxml.exceptions import SignXMLException
    from signxml.verifier import XMLVerifier

    try:
        XMLVerifier().verify(parse(xml), x509_cert=certificate)
    except (SignXMLException, ValueError):
        return False
    return True

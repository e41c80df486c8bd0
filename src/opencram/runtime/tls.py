"""What TLS the service speaks where it calls somebody: certificates are always checked."""

import ssl
from typing import Final

from opencram.config.live_model import Channel

OLDEST: Final = ssl.TLSVersion.TLSv1_2


def tls_context(channel: Channel) -> ssl.SSLContext:
    """Return what TLS a channel speaks."""
    context = ssl.create_default_context(cafile=channel.ca_file or None)
    context.minimum_version = OLDEST
    if channel.certificate_file:
        context.load_cert_chain(channel.certificate_file, channel.key_file or None)
    return context

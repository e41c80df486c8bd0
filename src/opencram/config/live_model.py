"""What a site file says of the live system: feeds, channels, who sends CAP, where the log and the web page are.

Secrets are never in it: it goes into the log.  `*_file` names a file that holds one, relative to the site file.
"""

from dataclasses import dataclass, field
from typing import Literal

Address = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class FeedSource:
    """Where plots come from: `[[feed]]`.  One of `udp`, `tcp` (we listen), `connect` (we call) and `file` is given."""

    name: str
    format: Literal["ndjson", "csv", "asterix", "sapient"]
    udp: Address | None = None  # a multicast group is joined
    tcp: Address | None = None
    connect: Address | None = None
    file: str = ""  # "-": standard input; or a pipe with a name
    columns: str = ""  # file with the column map of a CSV feed, relative to the site file
    interface: str = ""  # address of the interface on which a group is joined
    sensors: tuple[str, ...] = ()
    simulated: bool = False  # targets that radars mark as simulated are taken; all alarms are exercises then
    late_s_max: float = 0.5
    ahead_s_max: float = 0.1
    start_s: float = 10.0  # so long may a sensor take, from the start of the service, to be heard for the first time


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A way by which alarms leave: `[[outlet]]`."""

    name: str
    kind: Literal["cap-directory", "webhook", "mqtt", "tak", "asterix", "sapient"]
    folder: str = ""
    url: str = ""
    address: Address = ("", 0)
    topic: str = "opencram"
    user: str = ""
    secret_file: str = ""  # password (mqtt), key of the HMAC (webhook)
    tls: bool = False
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    timeout_s: float = 5.0
    sac: int = 0  # of our system, as ASTERIX names it
    sic: int = 255

    @property
    def takes_alarms(self) -> bool:
        """Whether alarms leave by it; the others take tracks only."""
        return self.kind not in ("asterix", "sapient")


@dataclass(frozen=True, kw_only=True)
class CapSite:
    """Who sends alarms, and whether they are meant: `[cap]`."""

    status: Literal["Exercise", "Actual"] = "Exercise"
    sender: str = "opencram"
    sender_name: str = ""
    languages: tuple[str, ...] = ("en",)
    scope: Literal["Public", "Restricted", "Private"] = "Public"
    restriction: str = ""
    contact: str = ""
    web: str = ""
    key_file: str = ""
    certificate_file: str = ""


@dataclass(frozen=True, kw_only=True)
class Live:
    """The live system of a site."""

    feeds: tuple[FeedSource, ...] = ()
    channels: tuple[Channel, ...] = ()
    cap: CapSite = field(default_factory=CapSite)
    log: str = "log"  # folder, relative to the site file
    raw: bool = True  # the bytes of the feeds are kept in the log, as they came
    segment_mb: float = 256.0  # a file of the log is full at so many megabytes,
    segment_s: float = 3600.0  # or after so long
    keep_gb: float = 0.0  # sealed files beyond so much are removed, the oldest first; 0: none is
    keep_days: float = 0.0  # and those older than this
    parquet: bool = False  # each sealed file is written as a Parquet table too
    http: Address | None = ("127.0.0.1", 8470)
    certificate_file: str = ""
    key_file: str = ""
    token_file: str = ""  # "viewer TOKEN" and "operator TOKEN", a line each

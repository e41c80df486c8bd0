"""The layout of a recording and the bytes of a message in it, shared by writer and reader.

A recording is a SQLite file of two tables.  `record` holds the messages in the order in which they crossed
the pipeline's walls; `segment` says which of them stand in this file and, once it is sealed, what their bytes
hash to.  A long live run spreads over several files, each of them a recording of its own.
"""

from collections.abc import Callable
from typing import Final, Literal

import msgspec

from opencram.messages import AnyMessage, Message

SUFFIX: Final = ".opencram"
FORMAT_VERSION: Final = 1  # of the tables below; the messages have their own version in the header
APPLICATION_ID: Final = 0x4F43524D  # "OCRM" in the SQLite header: `file` and a reader tell it from other databases
PAGE_BYTES: Final = 16384  # most tracks with their hypotheses fit in one page, without overflow chains

Direction = Literal["in", "out"]

TABLES: Final = """
CREATE TABLE segment (
    number  INTEGER PRIMARY KEY,
    first   INTEGER NOT NULL,
    records INTEGER NOT NULL,
    sha256  TEXT
) STRICT;
CREATE TABLE record (
    seq       INTEGER PRIMARY KEY,
    t_ns      INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    direction TEXT NOT NULL,
    payload   BLOB NOT NULL,
    raw       BLOB
) STRICT;
"""

# Beside them in the log of a live service: bytes as they came from a feed (`before`: the `seq` of the next record
# then), and the state of the pipeline before the first message of the file.
LIVE_TABLES: Final = """
CREATE TABLE IF NOT EXISTS datagram (
    number   INTEGER PRIMARY KEY,
    clock_ns INTEGER NOT NULL,
    feed     TEXT NOT NULL,
    before   INTEGER NOT NULL,
    data     BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS checkpoint (
    number INTEGER PRIMARY KEY,
    state  BLOB NOT NULL
) STRICT;
"""

# A message's bytes in a recording: MessagePack, which unlike JSON keeps NaN and infinities.  Bound methods, not
# functions around them: a call more for each message is a tenth of the time to write it.
encode: Final[Callable[[Message], bytes]] = msgspec.msgpack.Encoder().encode
decode: Final[Callable[[bytes], AnyMessage]] = msgspec.msgpack.Decoder(AnyMessage).decode


def kind_of(message_type: type[Message]) -> str:
    """Return the tag of a type of message: "plot", "track", …"""
    tag = message_type.__struct_config__.tag
    assert isinstance(tag, str), message_type
    return tag

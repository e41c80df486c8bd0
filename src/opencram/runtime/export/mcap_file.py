"""A recording as MCAP: a topic for each direction and kind, messages as JSON with their schema."""

import os
from pathlib import Path
from typing import Any, Final

import msgspec

from opencram.errors import UsageError
from opencram.messages import AnyMessage
from opencram.recording import read_records
from opencram.recording.parquet import json_of

_TYPES: Final = {kind.__struct_config__.tag: kind for kind in AnyMessage.__args__}  # type: ignore[attr-defined]


def write_mcap(recording: str, path: Path) -> int:
    """Write every record of a recording; return how many."""
    try:
        from mcap.writer import CompressionType, Writer
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed: pip install 'opencram[export]'") from error
    count = 0
    part = path.with_name(path.name + ".part")
    channels: dict[tuple[str, str], int] = {}
    with part.open("wb") as file:
        writer: Any = Writer(file, compression=CompressionType.ZSTD)
        writer.start(profile="", library="opencram")
        for record in read_records(recording):
            key = record.direction, record.kind
            if key not in channels:
                schema = msgspec.json.encode(msgspec.json.schema(_TYPES[record.kind]))
                schema_id = writer.register_schema(name=f"opencram.{record.kind}", encoding="jsonschema", data=schema)
                topic = f"/{record.direction}/{record.kind}"
                channels[key] = writer.register_channel(topic=topic, message_encoding="json", schema_id=schema_id)
            writer.add_message(
                channel_id=channels[key],
                log_time=max(record.t_ns, 0),
                publish_time=max(record.t_ns, 0),
                sequence=record.seq % 2**32,
                data=json_of(msgspec.msgpack.decode(record.payload)).encode(),
            )
            count += 1
        writer.finish()
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return count

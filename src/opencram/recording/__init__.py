"""The log: one file holds all that went in, all that came out, and the site file they belong to.

Write with `Writer`, read with `read`, `read_inputs` and `read_outputs`; `docs/recording.md` describes the file.
"""

from opencram.recording.reader import (
    Contents,
    Datagram,
    Record,
    contents,
    read,
    read_checkpoint,
    read_datagrams,
    read_header,
    read_inputs,
    read_outputs,
    read_records,
)
from opencram.recording.schema import SUFFIX, Direction, decode, encode, kind_of
from opencram.recording.truth import load_truth, truth_of, truth_path, write_truth
from opencram.recording.writer import Writer

__all__ = [
    "SUFFIX",
    "Contents",
    "Datagram",
    "Direction",
    "Record",
    "Writer",
    "contents",
    "decode",
    "encode",
    "kind_of",
    "load_truth",
    "read",
    "read_checkpoint",
    "read_datagrams",
    "read_header",
    "read_inputs",
    "read_outputs",
    "read_records",
    "truth_of",
    "truth_path",
    "write_truth",
]

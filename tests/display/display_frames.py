"""Frames of the display, read as the browser reads them (display/src/frame.ts)."""

import numpy as np
from numpy.typing import NDArray

from opencram.display.frames import FRAME_HEAD, LAYOUT

NAN = {"u2": 65535, "i2": -32768, "u1": 255}


def decoded(frame: bytes) -> dict[str, NDArray[np.float64]]:
    """Return the columns of a frame by name."""
    tracks, at = FRAME_HEAD.unpack_from(frame)[6], FRAME_HEAD.size
    found = {}
    for name, kind, step in LAYOUT:
        told = np.frombuffer(frame, dtype=f"<{kind}", count=tracks, offset=at)
        at += told.nbytes
        found[name] = np.where(told == NAN[kind], np.nan, told * step) if kind in NAN else told.astype(np.float64)
    assert at == len(frame)
    return found

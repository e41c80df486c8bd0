"""Named streams of random numbers: each owner draws from its own, so nobody's draws move another's."""

import hashlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator of the stream `name` ("radar/north/round/3") under `seed`, at its start.

    Equal arguments give equal draws, on every machine; the streams of different names or seeds are
    independent for all purposes: the first 128 bits of SHA-256 over both seed a PCG64.
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))

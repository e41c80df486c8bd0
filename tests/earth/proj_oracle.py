"""PROJ's answers, in a process of its own: ecCodes brings a PROJ along, and two in one process do not get on.

    python proj_oracle.py QUESTIONS.npz ANSWERS.npz

Questions by name: `cart…` (n, 3) longitude, latitude (degrees), height to earth-centred positions, `geod…` the way
back, `topo…` (n + 1, 3) the same of a site and of places to the site's east, north and up.
"""

import sys
from pathlib import Path

import numpy as np
from pyproj import Transformer


def answer(kind, rows):
    """Return PROJ's answer (n, 3)."""
    if kind != "topo":
        cartesian = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
        return np.stack(cartesian.transform(*rows.T, direction="FORWARD" if kind == "cart" else "INVERSE"), axis=-1)
    longitude, latitude, height = rows[0].tolist()
    local = Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +ellps=WGS84 "
        f"+step +proj=topocentric +ellps=WGS84 +lon_0={longitude!r} +lat_0={latitude!r} +h_0={height!r}"
    )
    return np.stack(local.transform(*rows[1:].T), axis=-1)


if __name__ == "__main__":
    with np.load(sys.argv[1]) as questions:
        np.savez(Path(sys.argv[2]), **{name: answer(name[:4], questions[name]) for name in questions.files})

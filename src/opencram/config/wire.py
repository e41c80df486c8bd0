"""How a radar is named in binary formats: the optional keys of [[sensor]] for ASTERIX and SAPIENT.

sac = 25                                            # ASTERIX system area code and
sic = 7                                             # system identification code
node_id = "b5546692-a0cc-4846-a36c-4b7098eae08e"    # SAPIENT
geoid_m = 8.1                                       # mean sea level above the ellipsoid, for CAT048 heights
doppler = "approaching"                             # positive Doppler speeds mean; default "receding"
"""

import re
from typing import Any, Final

from opencram.config.table import Limits, Table

BYTE: Final = Limits(at_least=0, at_most=255)
_GEOID_M: Final = Limits(at_least=-120.0, at_most=120.0)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def read_wire(table: Table) -> dict[str, Any]:
    """Return the fields of `config.model.Sensor` that these keys give."""
    node_id = table.string("node_id", "give the UUID of the SAPIENT node", default="")
    if node_id and not _UUID.fullmatch(node_id):
        table.fault("node_id", node_id, "must be a UUID", "write it as b5546692-a0cc-4846-a36c-4b7098eae08e")
    doppler = table.choice(
        "doppler", ("receding", "approaching"), "say what a positive Doppler speed means", default="receding"
    )
    return {
        "sac": table.integer("sac", BYTE, "give the ASTERIX system area code", default=0),
        "sic": table.integer("sic", BYTE, "give the ASTERIX system identification code", default=0),
        "node_id": node_id,
        "geoid_m": table.optional_number(
            "geoid_m", _GEOID_M, "give the height of mean sea level above the WGS84 ellipsoid at the radar"
        ),
        "doppler_sign": -1 if doppler == "approaching" else 1,
    }

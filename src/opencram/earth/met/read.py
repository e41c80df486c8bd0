"""Any weather text, read by the format that it shows itself to be."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from opencram.earth.met.faults import Faults
from opencram.earth.met.igra import is_igra, read_igra
from opencram.earth.met.metb3 import is_metb3, read_metb3
from opencram.earth.met.metcm import is_metcm, read_metcm
from opencram.earth.met.sounding import Sounding
from opencram.earth.met.table_csv import is_csv, read_csv
from opencram.earth.met.wmo_temp import is_temp, read_temp
from opencram.earth.met.wyoming import is_wyoming, read_wyoming

# In the order of asking: the surest sign first.
TEXT_FORMATS: Final[dict[str, Callable[[str], bool]]] = {
    "metcm": is_metcm,
    "metb3": is_metb3,
    "igra2": is_igra,
    "wyoming": is_wyoming,
    "csv": is_csv,
    "temp": is_temp,
}


def detected(text: str) -> str | None:
    """Return the format of a text, None if it shows none."""
    return next((name for name, shows in TEXT_FORMATS.items() if shows(text)), None)


def read_sounding(
    text: str, name: str, *, form: str | None = None, latitude_deg: float = 45.0, time: datetime | None = None
) -> Sounding:
    """Return the sounding in `text`; raise `ConfigError`, with lines and remedies, if it is wrong.

    `form`: one of `TEXT_FORMATS`, None to tell from the text.  `latitude_deg`: that of the site, where the
    text does not give its own.  `time`: which of several soundings is wanted (IGRA2); the last by default.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    form = form or detected(text)
    if form == "igra2":
        return read_igra(text, name, latitude_deg=latitude_deg, time=time)
    readers: dict[str, Callable[..., Sounding]] = {
        "metcm": read_metcm,
        "metb3": read_metb3,
        "wyoming": read_wyoming,
        "csv": read_csv,
        "temp": read_temp,
    }
    if form not in readers:
        known = ", ".join(TEXT_FORMATS)
        first = text.lstrip().split("\n")[0][:40]
        limit = f"is no weather text that opencram knows ({known})"
        raise Faults(name).refuse(1, first, limit, "is this the right file? a CSV begins with its column names")
    return readers[form](text, name, latitude_deg=latitude_deg)

"""What was read, in words and a table: what a person checks before a round is flown through it."""

import math
from typing import Final

import numpy as np

from opencram.earth.atmosphere import isa
from opencram.earth.gas import KELVIN, wind_direction
from opencram.earth.met.sounding import Sounding
from opencram.earth.profile import profile_of

_SHOWN_M: Final = (0.0, 500.0, 1000.0, 2000.0, 3000.0, 5000.0, 8000.0, 12_000.0, 16_000.0, 20_000.0, 25_000.0, 30_000.0)


def summary(sounding: Sounding, latitude_deg: float = 45.0) -> list[str]:
    """Return head and table, a line each: what flights meet at round heights.  `sounding.notes` stand apart."""
    head = ", ".join(part for part in (sounding.format, sounding.title, _place(sounding), sounding.time) if part)
    if not sounding.air and not sounding.wind:
        return [f"{head}: no level"]
    heights = shown_heights_m(sounding)
    profile = profile_of(sounding, math.radians(latitude_deg))
    air, (east, north) = profile.air_at(heights), profile.wind_at(heights)
    shares = air.density_kg_m3 / isa(heights)[2]
    lines = [
        f"{head}: {len(sounding.air)} levels of air, {len(sounding.wind)} of wind",
        f"  {'height':>8}  {'pressure':>10}  {'virt. temp.':>11}  {'density':>15}  wind from",
    ]
    for k, height_m in enumerate(heights):
        row = f"  {height_m:6.0f} m"
        if sounding.air:
            row += f"  {air.pressure_pa[k] / 100.0:6.1f} hPa  {air.virtual_temperature_k[k] - KELVIN:8.1f} °C"
            row += f"  {shares[k]:8.1%} of ISA"
        else:
            row += f"  {'ISA':>10}  {'ISA':>11}  {'ISA':>15}"
        from_deg, speed_m_s = wind_direction(float(east[k]), float(north[k]))
        lines.append(row + (f"  {from_deg:3.0f}° at {speed_m_s:.1f} m/s" if sounding.wind else "  –"))
    return lines


def shown_heights_m(sounding: Sounding) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the heights of the table (m above sea level): both ends, and round heights in between."""
    inner = [height for height in _SHOWN_M if sounding.bottom_m + 100.0 < height < sounding.top_m - 100.0]
    return np.array(sorted({sounding.bottom_m, *inner, sounding.top_m}))


def _place(sounding: Sounding) -> str:
    if sounding.latitude_deg is None or sounding.longitude_deg is None:
        return ""
    ns, ew = "NS"[sounding.latitude_deg < 0.0], "EW"[sounding.longitude_deg < 0.0]
    return f"{abs(sounding.latitude_deg):.2f}° {ns} {abs(sounding.longitude_deg):.2f}° {ew}"

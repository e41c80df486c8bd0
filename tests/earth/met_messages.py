"""Messages made here from a known atmosphere, for the tests of the readers.  None is anybody's."""

import math
from functools import cache
from itertools import pairwise

from opencram.earth.atmosphere import isa
from opencram.earth.gas import KELVIN, KNOT_M_S, geopotential_at, height_at, log_pressure_fall
from opencram.earth.met.metcm import ZONE_TOPS_M

LATITUDE_DEG, LONGITUDE_DEG = 33.3, 44.4
LATITUDE = math.radians(LATITUDE_DEG)
WARMER_K = 9.0  # than the standard atmosphere: nothing passes because it is the default


def temperature_k(height_m):
    return float(isa(height_m)[0]) + WARMER_K


def pressures_pa(heights_m, surface_pa=100_800.0):
    """Hydrostatic pressures at these heights, through fine layers from the lowest of them."""
    logs, at, out = math.log(surface_pa), heights_m[0], []
    for height in heights_m:
        while at < height - 1e-9:
            upper = min(at + 50.0, height)
            rise = geopotential_at(upper, LATITUDE) - geopotential_at(at, LATITUDE)
            logs -= log_pressure_fall(rise, temperature_k(at), temperature_k(upper))
            at = upper
        out.append(math.exp(logs))
    return out


def wind(height_m):
    """Direction (degrees) and speed (m/s): veers with height."""
    return (250.0 + height_m / 200.0) % 360.0, 4.0 + height_m / 500.0


def metcm_lines(table, zones, datum_m=40.0):
    edges = (0.0, *ZONE_TOPS_M[table])
    heights = [datum_m + (0.0 if z == 0 else (edges[z - 1] + edges[z]) / 2.0) for z in range(zones)]
    lines = []
    for z, (height, pressure) in enumerate(zip(heights, pressures_pa(heights), strict=True)):
        from_deg, speed = wind(height)
        tens_of_mils, knots = round(from_deg * 640.0 / 360.0) % 640, round(speed / KNOT_M_S)
        kelvin, millibars = round(temperature_k(height) * 10.0), round(pressure / 100.0)
        lines.append(f"{z:02d}{tens_of_mils:03d}{knots:03d} {kelvin:04d}{millibars:04d}")
    return lines


def metcm(table="US", zones=27, head="METCM3 333444 071265 004008"):
    return "\n".join([head, *metcm_lines(table, zones), "99999", ""])


LEVELS_M = (40.0, 500.0, 1500.0, 3000.0, 4500.0, 6000.0, 8000.0, 10_000.0, 12_000.0, 14_000.0, 16_000.0, 20_000.0)


def sounding_rows(heights_m=LEVELS_M):
    """(geopotential m, pressure Pa, temperature K, direction °, speed m/s) of dry air at these heights."""
    return [
        (geopotential_at(h, LATITUDE), p, temperature_k(h), *wind(h))
        for h, p in zip(heights_m, pressures_pa(list(heights_m)), strict=True)
    ]


def csv(heights_m=LEVELS_M):
    lines = [
        "# latitude_deg: 33.3",
        "# longitude_deg: 44.4",
        "height_m,pressure_hpa,temperature_c,wind_from_deg,wind_speed_m_s",
    ]
    for height, (_, pressure, kelvin, from_deg, speed) in zip(heights_m, sounding_rows(heights_m), strict=True):
        lines.append(f"{height:.1f},{pressure / 100:.3f},{kelvin - KELVIN:.3f},{from_deg:.2f},{speed:.3f}")
    return "\n".join(lines) + "\n"


def igra(heights_m=LEVELS_M, date="2026 03 14 12"):
    rows = sounding_rows(heights_m)
    text = f"#XXM00099999 {date} 1130 {len(rows) + 1:4d} ncdc-gts ncdc-gts {333000:7d} {444000:8d}\n"
    for k, (geopotential, pressure, kelvin, from_deg, speed) in enumerate(rows):
        height = f"{round(geopotential):5d}" if k % 2 == 0 else "-9999"  # significant levels have none
        text += (
            f"{'21' if k == 0 else '10'} -9999 {round(pressure):6d}B{height}B{round((kelvin - KELVIN) * 10):5d}B"
            f"-9999 -9999 {round(from_deg):5d} {round(speed * 10):5d}\n"
        )
    return text + "30 -9999  -9999 25000 -9999 -9999 -9999   270   300\n"


def wyoming(heights_m=LEVELS_M, unit="knot"):
    lines = [
        "99999 XXXX Nowhere Observations at 12Z 14 Mar 2026",
        "",
        "-" * 77,
        "   PRES   HGHT   TEMP   DWPT   RELH   MIXR   DRCT   SKNT   THTA   THTE   THTV",
        f"    hPa     m      C      C      %    g/kg    deg   {unit}     K      K      K",
        "-" * 77,
        " 1020.0    -60" + " " * 63,  # below the ground: a height, nothing measured
    ]
    for geopotential, pressure, kelvin, from_deg, speed in sounding_rows(heights_m):
        lines.append(
            f"{pressure / 100:7.1f}{geopotential:7.0f}{kelvin - KELVIN:7.1f}{'':7}{'':7}{'':7}{from_deg:7.0f}"
            f"{speed / KNOT_M_S:7.0f}"
            f"{'':7}{'':7}{'':7}"
        )
    lines += ["", "Station information and sounding indices", "", "Station identifier: XXXX"]
    lines += ["Station latitude: 33.30", "Station longitude: 44.40", "Station elevation: 40.0", ""]
    return "\n".join(lines)


def height_of(pressure_pa):
    """Height (m) at which the made atmosphere has a pressure, by halving the fine layer that it lies in."""
    at, layers = 40.0, pressures_pa([40.0])
    while layers[-1] > pressure_pa:
        at += 50.0
        layers.append(_above(at - 50.0, layers[-1], at))
    low, high = at - 50.0, at
    for _ in range(50):
        middle = (low + high) / 2.0
        if _above(at - 50.0, layers[-2], middle) > pressure_pa:
            low = middle
        else:
            high = middle
    return low


def _above(low_m, pressure_pa, high_m):
    """Pressure at the top of one layer."""
    rise = geopotential_at(high_m, LATITUDE) - geopotential_at(low_m, LATITUDE)
    return pressure_pa * math.exp(-log_pressure_fall(rise, temperature_k(low_m), temperature_k(high_m)))


def _ttt(kelvin):
    tenths = round(abs(kelvin - KELVIN) * 10.0)
    odd = kelvin < KELVIN
    return f"{tenths + (tenths % 2 != odd):03d}"


def _ddfff(height_m):
    from_deg, speed = wind(height_m)
    fives, knots = round(from_deg / 5.0), round(speed / KNOT_M_S)
    return f"{fives // 2:02d}{knots + 500 * (fives % 2):03d}"


@cache
def temp():
    """Parts A and B of station 40650 on the 14th at 12 h, wind in knots, and winds by height up to 2400 m."""
    surface = pressures_pa([40.0])[0]
    groups = ["TTAA 64121 40650", f"99{round(surface / 100) % 1000:03d} {_ttt(temperature_k(40.0))}// {_ddfff(40.0)}"]
    for mark, hpa in (("92", 925), ("85", 850), ("70", 700), ("50", 500), ("40", 400), ("30", 300), ("25", 250),
                      ("20", 200), ("15", 150), ("10", 100)):  # fmt: skip
        height = height_of(hpa * 100.0)
        geopotential = geopotential_at(height, LATITUDE)
        figures = round(geopotential) % 1000 if hpa >= 700 else round(geopotential / 10.0) % 1000
        groups.append(f"{mark}{figures:03d} {_ttt(temperature_k(height))}// {_ddfff(height)}")
    groups.append("88999 77999 31313 58708 81130=")
    below = height_of(60_000.0)
    part_b = ["TTBB 64128 40650", f"00{round(surface / 100) % 1000:03d} {_ttt(temperature_k(40.0))}//"]
    part_b += [f"11600 {_ttt(temperature_k(below))}//", f"21212 00{round(surface / 100) % 1000:03d} {_ddfff(40.0)}"]
    part_b += [f"11600 {_ddfff(below)}="]
    heights = [float(height_at(300.0 * k, LATITUDE)) for k in (1, 2, 3, 6, 8)]
    winds = [_ddfff(h) for h in heights]
    part_c = [
        "PPBB 64120 40650",
        f"90012 {_ddfff(40.0)} {winds[0]} {winds[1]}",
        f"9036/ {winds[2]} {winds[3]}",
        f"908// {winds[4]}=",
    ]
    return "\n".join([" ".join(groups), " ".join(part_b), " ".join(part_c), ""])


def rises(values):
    return all(low < high for low, high in pairwise(values))

"""Reading a plan file of `opencram plan`: see `docs/siting.md`.  Every fault is told at once, the site's included.

A plan is a TOML file that names its site, `[plan] site = "site.toml"`; or the site file itself, with these tables in
it.
"""

import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal, cast

from opencram.config.document import parse_toml, raise_faults, read_text, sha256_of
from opencram.config.model import Sensor, Site
from opencram.config.plan_model import PlanFile, Siren, ThreatDirection
from opencram.config.site import load_site
from opencram.config.table import (
    HEIGHT_M,
    LATITUDE_DEG,
    LONGITUDE_DEG,
    NOT_NEGATIVE,
    POSITIVE,
    PROBABILITY,
    Findings,
    Limits,
    Table,
)
from opencram.earth.geodesy import Frame, enu_from_geodetic, geodetic_from_enu
from opencram.errors import ConfigError, Fault

CELLS_MAX: Final = 250_000
CLASSES: Final = ("mortar", "rocket", "shell")
_ENU_M: Final = Limits(at_least=-100_000.0, at_most=100_000.0)
_ELEVATION_DEG: Final = Limits(at_least=2.0, at_most=87.0)
_USUAL_DEG: Final = {"mortar": 65.0, "rocket": 30.0, "shell": 40.0}  # generic
_LOWEST_DEG: Final = Limits(at_least=-10.0, below=90.0)
_MRAD: Final = Limits(above=0.0, at_most=1000.0)
_MARGIN_M: Final = 500.0  # of the map about the zones and assets


def load_plan(path: str | Path, directions: Sequence[str] = ()) -> PlanFile:
    """Return the plan that the file at `path` describes; raise `ConfigError` with all faults.

    `directions`: threats besides those of the file, each as "class:azimuth:range" ("rocket:90:7600", degrees and m).
    """
    path = Path(path)
    text = read_text(path)
    findings = Findings()
    root = Table(parse_toml(text, path), "$", findings)
    head = root.table("plan", "write [plan] once") or Table({}, "$.plan", findings)
    site = _site(head, root, path)
    tables = root.tables("threat", "write each threat under [[threat]]")
    tables += [Table(_direction(text), f"--threat {text}", findings) for text in directions]
    threats = tuple(_threat(each, site) for each in tables)
    sirens = tuple(_siren(each, site) for each in root.tables("siren", "write each siren under [[siren]]"))
    radars, more_sirens = _candidates(root.tables("candidate", "write each candidate under [[candidate]]"), site)
    west, south, east, north = _about(site)
    plan = PlanFile(
        site=site,
        step_m=head.number("step_m", POSITIVE, "give the side of a cell", default=250.0),
        west_m=head.number("west_m", _ENU_M, "give metres east of the site", default=west),
        east_m=head.number("east_m", _ENU_M, "give metres east of the site", default=east),
        south_m=head.number("south_m", _ENU_M, "give metres north of the site", default=south),
        north_m=head.number("north_m", _ENU_M, "give metres north of the site", default=north),
        elevation_rad_min=math.radians(
            head.number("elevation_min_deg", _LOWEST_DEG, "give the lowest elevation that radars see", default=1.0)
        ),
        enough_s=head.number("enough_s", POSITIVE, "give the seconds of warning that are enough", default=10.0),
        threats=threats,
        sirens=sirens,
        radar_candidates=radars,
        siren_candidates=more_sirens,
        text=text,
        sha256=sha256_of(text),
    )
    head.done()
    if "site" in head.values:  # a site file has tables of its own, which its own reader judges
        root.done()
    _judge(plan, findings)
    raise_faults(path, findings)
    return plan


def _site(head: Table, root: Table, path: Path) -> Site:
    if "site" not in head.values and "site" in root.values:
        head.knows("site")
        return load_site(path)
    file = head.string("site", 'give the site file, relative to this one: site = "site.toml"')
    try:
        return load_site(path.parent / file) if file else _unknown(path, head)
    except ConfigError as error:
        raise ConfigError(
            str(path), [Fault(f"{file}: {f.place}", f.value, f.limit, f.remedy) for f in error.faults]
        ) from error


def _unknown(path: Path, head: Table) -> Site:
    raise ConfigError(str(path), head.findings.faults)


def _frame(site: Site) -> Frame:
    return Frame(site.latitude_rad, site.longitude_rad, site.height_m)


def _about(site: Site) -> tuple[float, float, float, float]:
    """Return west, south, east and north of the zones and assets with a margin, or 3 km about the site."""
    polygons = [zone.polygon for zone in site.zones] + [asset.polygon for asset in site.assets]
    corners = [corner for polygon in polygons for corner in polygon]
    if not corners:
        return -3000.0, -3000.0, 3000.0, 3000.0
    places = enu_from_geodetic(
        _frame(site), [c[1] for c in corners], [c[0] for c in corners], [site.ground_height_m] * len(corners)
    )
    west, south = (float(x) - _MARGIN_M for x in places[:, :2].min(axis=0))
    east, north = (float(x) + _MARGIN_M for x in places[:, :2].max(axis=0))
    return west, south, east, north


def _place(table: Table, site: Site) -> tuple[float, float]:
    """Return metres east and north, given so or by latitude and longitude."""
    if "latitude_deg" in table.values or "longitude_deg" in table.values:
        latitude = table.number("latitude_deg", LATITUDE_DEG, "give degrees, or east_m and north_m")
        longitude = table.number("longitude_deg", LONGITUDE_DEG, "give degrees, or east_m and north_m")
        if math.isnan(latitude) or math.isnan(longitude):
            return 0.0, 0.0
        at = enu_from_geodetic(_frame(site), math.radians(latitude), math.radians(longitude), site.ground_height_m)
        return float(at[0]), float(at[1])
    return (
        table.number("east_m", _ENU_M, "give metres east of the site, or latitude_deg and longitude_deg"),
        table.number("north_m", _ENU_M, "give metres north of the site, or latitude_deg and longitude_deg"),
    )


def _threat(table: Table, site: Site) -> ThreatDirection:
    class_name = table.choice("class", CLASSES, "say what is launched")
    if "azimuth_deg" in table.values:
        turn = math.radians(table.number("azimuth_deg", Limits(at_least=-360.0, at_most=360.0), "give degrees"))
        away = table.number("range_m", POSITIVE, "give the distance from the site")
        east, north = away * math.sin(turn), away * math.cos(turn)
    else:
        east, north = _place(table, site)
    threat = ThreatDirection(
        name=table.string("name", "give the threat a name"),
        class_name=cast(Literal["mortar", "rocket", "shell"], class_name),
        east_m=east,
        north_m=north,
        elevation_rad=math.radians(
            table.number("elevation_deg", _ELEVATION_DEG, "give degrees", default=_USUAL_DEG[class_name])
        ),
        weight=table.number("weight", POSITIVE, "give how likely against the others", default=1.0),
    )
    table.done()
    return threat


def _direction(text: str) -> dict[str, Any]:
    """Return "rocket:90:7600" as the table of a threat; what is no number is left for the table's reader to refuse."""
    names = ("class", "azimuth_deg", "range_m")
    values: list[Any] = [*text.split(":"), "", ""]
    for k, value in enumerate(values[1:], start=1):
        with suppress(ValueError):
            values[k] = float(value)
    return {"name": text} | dict(zip(names, values, strict=False))


def _siren(table: Table, site: Site) -> Siren:
    east, north = _place(table, site)
    siren = Siren(
        id=table.string("id", "give the siren a name"),
        east_m=east,
        north_m=north,
        radius_m=table.number("radius_m", POSITIVE, "give how far it is heard"),
        latency_s=table.number("latency_s", NOT_NEGATIVE, "give the seconds until it sounds", default=1.0),
    )
    table.done()
    return siren


def _candidates(tables: list[Table], site: Site) -> tuple[tuple[Sensor, ...], tuple[Siren, ...]]:
    radars, sirens = [], []
    for table in tables:
        kind = table.choice("kind", ("radar", "siren"), "say what could stand here")
        if kind == "siren":
            sirens.append(_siren(table, site))
        else:
            radars.append(_radar(table, site))
    return tuple(radars), tuple(sirens)


def _radar(table: Table, site: Site) -> Sensor:
    """Return a radar that could stand here; what it leaves out is as the site's first sensor has it."""
    usual = site.sensors[0] if site.sensors else None
    east, north = _place(table, site)
    mast_m = table.number("mast_m", NOT_NEGATIVE, "give the height of the antenna over the ground", default=6.0)
    latitude, longitude, _ = (float(x) for x in geodetic_from_enu(_frame(site), [east, north, 0.0]))
    ground = site.ground_height_m
    if site.terrain is not None:
        known = float(site.terrain.at(east, north))
        ground = known if math.isfinite(known) else ground
    radar = Sensor(
        id=table.string("id", "give the candidate a name"),
        latitude_rad=latitude,
        longitude_rad=longitude,
        height_m=table.number("height_m", HEIGHT_M, "give metres above the ellipsoid", default=ground + mast_m),
        range_m_std=table.number("range_std_m", POSITIVE, "give metres", default=usual.range_m_std if usual else None),
        azimuth_rad_std=_mrad(table, "azimuth_std_mrad", usual.azimuth_rad_std if usual else None),
        elevation_rad_std=_mrad(table, "elevation_std_mrad", usual.elevation_rad_std if usual else None),
        range_m_max=table.number("range_max_m", POSITIVE, "give metres", default=usual.range_m_max if usual else None),
        detection_probability=table.number(
            "detection_probability", PROBABILITY, "give 0 to 1", default=usual.detection_probability if usual else None
        ),
        clutter_per_scan=table.number("clutter_per_scan", NOT_NEGATIVE, "give a mean number", default=0.0),
        period_s=table.number("period_s", POSITIVE, "give seconds", default=usual.period_s if usual else None),
    )
    table.done()
    return radar


def _mrad(table: Table, key: str, usual_rad: float | None) -> float:
    usual = None if usual_rad is None else usual_rad * 1e3
    return table.number(key, _MRAD, "give milliradians, one standard deviation", default=usual) * 1e-3


def _judge(plan: PlanFile, findings: Findings) -> None:
    if not plan.threats:
        findings.fault(
            "$.threat",
            "missing",
            "is required",
            "say where rounds may come from, under [[threat]] or by --threat rocket:90:7600",
        )
    if not plan.site.sensors and not plan.radar_candidates:
        findings.fault("$.sensor", "missing", "is required", "the site needs a sensor, or the plan a [[candidate]]")
    width, height = plan.east_m - plan.west_m, plan.north_m - plan.south_m
    if not (width > 0.0 and height > 0.0):
        findings.fault(
            "$.plan.east_m", plan.east_m, "must lie east of west_m, and north_m north of south_m", "swap them"
        )
    elif width * height / max(plan.step_m, 1e-3) ** 2 > CELLS_MAX:
        findings.fault("$.plan.step_m", plan.step_m, f"must give at most {CELLS_MAX} cells", "take larger cells")
    for kind, things in (("siren", plan.sirens + plan.siren_candidates), ("candidate", plan.radar_candidates)):
        names = [thing.id for thing in things]
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            findings.fault(f"$.{kind}", name, "must be unique", "give each an id of its own")

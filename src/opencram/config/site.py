"""Reading a site file: TOML in degrees in, `config.model.Site` in SI and radians out.

A wrong file is answered with every fault in it at once.  A key that nobody knows is a note, not a fault,
unless it is nearly the name of a known key that is missing: see `Table.done`.

    site = load_site("site.toml")        # raises ConfigError, which names every fault
    for note in site_notes(site): ...    # what was read but means nothing to opencram
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from opencram.config.basemap import read_basemap
from opencram.config.document import parse_toml, raise_faults, read_text, sha256_of
from opencram.config.live import read_live
from opencram.config.model import Asset, Effector, Policy, Sensor, Site, Warnings, Zone
from opencram.config.people import (
    ZONE_KEYS,
    alarm_channels,
    districts,
    features_of_kml,
    judge_references,
    kind_of,
    warning_habits,
    zone_habits,
)
from opencram.config.polygon import DISTANCE_M_MAX, Point, distance_m, read_polygon
from opencram.config.projectiles import read_curves, read_projectiles
from opencram.config.rules import read_rules
from opencram.config.table import (
    HEIGHT_M,
    LATITUDE_DEG,
    LONGITUDE_DEG,
    MISSING,
    NOT_NEGATIVE,
    POSITIVE,
    PROBABILITY,
    Findings,
    Limits,
    Table,
    as_number,
)
from opencram.config.weather import read_weather
from opencram.config.wire import read_wire
from opencram.errors import ConfigError, Fault

_MRAD: Final = Limits(above=0.0, at_most=1000.0)
_OUT_OF_ORDER_S: Final = Limits(at_least=0.0, at_most=2.0)  # `LAG_NS` of `adapters.gate`
_SHELTER_S: Final = Limits(at_least=0.0, at_most=3600.0)
_POINTS: Final = "give the corners as [[longitude, latitude], ...] in degrees"
_ZONES: Final = 'write [zones] with file = "zones.geojson", or one [[zone]] for each zone'


def load_site(path: str | Path) -> Site:
    """Return the site that the file at `path` describes; raise `ConfigError` with all its faults."""
    path = Path(path)
    return parse_site(read_text(path), path)


def parse_site(text: str, path: str | Path) -> Site:
    """Return the site that `text` describes.

    `path` names the text in faults, and is where a zones file is looked for.  `Site.text` needs no such
    file any more: its zones stand in it, so that a recording that holds it is whole.
    """
    site, findings = _read(text, Path(path))
    raise_faults(path, findings)
    return site


def site_notes(site: Site) -> list[str]:
    """Return what the site file holds that opencram has no use for, or that may not be meant, a line each."""
    _, findings = _read(site.text, Path(site.name))
    if not site.zones:
        findings.notes.append("$.zone: there is no zone: nobody will be warned")
    if not site.assets:
        findings.notes.append("$.asset: there is no asset: nothing will be defended under policy 'site'")
    return findings.notes


def _read(text: str, path: Path) -> tuple[Site, Findings]:
    findings = Findings()
    root = Table(parse_toml(text, path), "$", findings)
    head = root.table("site", "begin the file with [site] and its name and position", required=True)
    # Where [site] is missing, the rest is still read: its faults are told as well.
    head = head or Table({}, "$.site", Findings())
    latitude_deg = head.number("latitude_deg", LATITUDE_DEG, "give degrees north of the equator")
    longitude_deg = head.number("longitude_deg", LONGITUDE_DEG, "give degrees east of Greenwich")
    height_m = head.number("height_m", HEIGHT_M, "give metres above the WGS84 ellipsoid")
    name = head.string("name", "give the site a name")
    ground_height_m = head.number(
        "ground_height_m", HEIGHT_M, "give the height of the ground above the WGS84 ellipsoid", default=height_m
    )
    head.done()
    origin_deg = (longitude_deg, latitude_deg)
    terrain = None
    ground = root.table("terrain", "write [terrain] once")
    if ground is not None:
        from opencram.config.terrain import read_terrain  # NumPy: only who has terrain needs it

        terrain, text = read_terrain(ground, text, path, (longitude_deg, latitude_deg, height_m))
    weather, text = read_weather(root.table("weather", "write [weather] once"), text, path, origin_deg)
    curves, text = read_curves(root, text, path)
    sensors = _sensors(root, origin_deg, height_m)
    assets = _assets(root, origin_deg)
    zones, text = _zones(root, origin_deg, text, path)
    site = Site(
        name=name,
        latitude_rad=math.radians(latitude_deg),
        longitude_rad=math.radians(longitude_deg),
        height_m=height_m,
        ground_height_m=ground_height_m,
        weather=weather,
        sensors=sensors,
        assets=assets,
        zones=zones,
        effectors=_effectors(root, origin_deg, height_m),
        policy=_policy(root.table("policy", "write [policy] once")),
        warnings=_warnings(root.table("warning", "write [warning] once")),
        districts=districts(root),
        alarm_channels=alarm_channels(root),
        text=text,
        sha256=sha256_of(text),
        rules=read_rules(root, origin_deg),
        terrain=terrain,
        live=read_live(root),
        basemap=read_basemap(root.table("basemap", "write [basemap] once"), path),
        drag_curves=curves,
        projectiles=read_projectiles(root, curves),
    )
    root.done()
    judge_references(site, findings)
    _judge_places(findings, origin_deg)
    return site, findings


def _judge_places(findings: Findings, origin_deg: Point) -> None:
    """Blame things that are far from the site; if nothing at all is near it, blame the site instead."""
    if len(findings.misplaced) == findings.placed > 1:
        value = [origin_deg[1], origin_deg[0]]
        limit = f"no sensor, asset, zone or effector lies within {DISTANCE_M_MAX / 1000:.0f} km of the site"
        findings.fault("$.site.latitude_deg, longitude_deg", value, limit, "check latitude_deg and longitude_deg")
    else:
        findings.faults += findings.misplaced


def _sensors(root: Table, origin_deg: Point, site_height_m: float) -> tuple[Sensor, ...]:
    tables = root.tables("sensor", "write each radar under [[sensor]]")
    if not tables and "sensor" not in root.values:
        root.fault("sensor", MISSING, "there must be at least one sensor", "describe each radar under [[sensor]]")
    sensors = []
    for table, identity in _identified(tables):
        lon_deg, lat_deg = _position(table, origin_deg)
        sensors.append(
            Sensor(
                id=identity,
                latitude_rad=math.radians(lat_deg),
                longitude_rad=math.radians(lon_deg),
                height_m=table.number("height_m", HEIGHT_M, "give metres above the ellipsoid", default=site_height_m),
                range_m_std=table.number("range_std_m", POSITIVE, "give one standard deviation of a plot in metres"),
                azimuth_rad_std=_milliradians(table, "azimuth_std_mrad"),
                elevation_rad_std=_milliradians(table, "elevation_std_mrad"),
                range_m_max=table.number("range_max_m", POSITIVE, "give the radar's instrumented range in metres"),
                detection_probability=table.number(
                    "detection_probability", PROBABILITY, "give the share of scans that see a round", default=0.9
                ),
                clutter_per_scan=table.number(
                    "clutter_per_scan", NOT_NEGATIVE, "give the mean number of false plots in one scan", default=0.0
                ),
                period_s=table.number("period_s", POSITIVE, "give the seconds from one scan to the next"),
                out_of_order_s=table.number(
                    "out_of_order_s", _OUT_OF_ORDER_S, "give by how many seconds its scans may overtake", default=0.0
                ),
                **read_wire(table),
            )
        )
        table.done()
    return tuple(sensors)


def _milliradians(table: Table, key: str) -> float:
    return table.number(key, _MRAD, "give one standard deviation of a plot in milliradians") * 1e-3


def _assets(root: Table, origin_deg: Point) -> tuple[Asset, ...]:
    assets = []
    for table, identity in _identified(root.tables("asset", "write each asset under [[asset]]")):
        corners = table.array("polygon", _POINTS)
        polygon = read_polygon(corners, f"{table.place}.polygon", origin_deg, table.findings) if corners else ()
        _not_empty(table, corners)
        assets.append(Asset(id=identity, polygon=polygon))
        table.done()
    return tuple(assets)


def _zones(root: Table, origin_deg: Point, text: str, path: Path) -> tuple[tuple[Zone, ...], str]:
    """Return the zones of the file and of its zones file, and the text with the latter written into it."""
    tables = root.tables("zone", "write each zone under [[zone]]")
    source = root.table("zones", _ZONES)
    if source is not None:
        file = source.string("file", _ZONES)
        inlined = source.tables("feature", "leave this to opencram")
        source.done()
        if file and not inlined:
            features = _features(file, path, source)
            text = _with_features(text, features, source)
            inlined = [Table(values, place, root.findings) for place, values in features]
        tables += inlined
    counted, text = _population(root, tables, text, path)
    zones = []
    for table, identity in _identified(tables):
        corners = table.array("polygon", _POINTS)
        _not_empty(table, corners)
        zones.append(
            Zone(
                id=identity,
                name=table.string("name", "give the zone's name as people say it", default=identity),
                population=table.integer(
                    "population",
                    NOT_NEGATIVE,
                    "give the number of people in the zone",
                    default=counted.get(identity),
                ),
                shelter_time_s=table.number(
                    "shelter_time_s", _SHELTER_S, "give the seconds that people need to reach shelter"
                ),
                polygon=read_polygon(corners, f"{table.place}.polygon", origin_deg, table.findings) if corners else (),
                **zone_habits(table),
            )
        )
        table.done()
    return tuple(zones), text


def _population(root: Table, zones: list[Table], text: str, path: Path) -> tuple[dict[str, int], str]:
    """Return the people that a raster counts in the zones which do not say themselves, and the text with them."""
    table = root.table("population", "write [population] once")
    if table is None:
        return {}, text
    from opencram.config.population import counted_people, with_counted  # NumPy: only who has a raster needs it

    silent = [zone.values for zone in zones if "population" not in zone.values]
    rings = [(zone.get("id"), _corners(zone.get("polygon"))) for zone in silent]
    counted = counted_people(table, path, [(each, ring) for each, ring in rings if isinstance(each, str) and ring])
    if "counted" in table.values or not counted:
        return counted, text
    whole = with_counted(text, counted)
    if not _is_toml(whole):
        table.here("must be a table of its own", "write [population] on one line and file = ... on the next")
        return counted, text
    return counted, whole


def _corners(polygon: Any) -> list[Point]:
    """Return the corners of a polygon as it stands in a file, or none if it is no polygon: that is blamed elsewhere."""
    if not isinstance(polygon, list) or not all(isinstance(each, list) and len(each) >= 2 for each in polygon):
        return []
    points = [(as_number(each[0]), as_number(each[1])) for each in polygon]
    corners = [(x, y) for x, y in points if x is not None and y is not None and abs(x) <= 180.0 and abs(y) <= 90.0]
    return corners if len(corners) == len(points) >= 3 else []


def _not_empty(table: Table, corners: list[Any]) -> None:
    if not corners and table.values.get("polygon") == []:
        table.fault("polygon", corners, "must have at least 3 distinct points", _POINTS)


def _features(file: str, path: Path, source: Table) -> list[tuple[str, dict[str, Any]]]:
    """Return place and keys of each zone in a GeoJSON file, as a `[[zone]]` would hold them."""
    try:
        text = read_text(path.parent / file)
        document = features_of_kml(text) if file.lower().endswith(".kml") else json.loads(text)
    except ConfigError as error:
        fault = error.faults[0]
        source.fault("file", file, fault.limit, fault.remedy + "; the path is relative to the site file")
        return []
    except (ValueError, RecursionError) as error:
        source.fault("file", file, f"is not {kind_of(file)}: {error}", "save the zones as GeoJSON or KML")
        return []
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        source.fault("file", file, "must be a GeoJSON FeatureCollection", "save the zones as GeoJSON polygons")
        return []
    zones = []
    for index, feature in enumerate(features):
        place = f"{file}: $.features[{index}]"
        zone = _feature(feature, place, source)
        if zone is not None:
            zones.append((place, zone))
    return zones


def _feature(feature: Any, place: str, source: Table) -> dict[str, Any] | None:
    """Return the keys of one zone, or None after noting why the feature is none."""
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    rings = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if kind == "MultiPolygon" and isinstance(rings, list) and len(rings) == 1:
        kind, rings = "Polygon", rings[0]
    if kind != "Polygon" or not isinstance(rings, list) or not rings or not isinstance(rings[0], list):
        remedy = "write one feature of type Polygon for each zone; split a MultiPolygon into its parts"
        source.findings.fault(f"{place}.geometry", kind or "missing", "must be a Polygon", remedy)
        return None
    if len(rings) > 1:
        source.findings.notes.append(f"{place}.geometry: the holes are warned as part of the zone")
    properties = feature.get("properties")
    values = dict(properties) if isinstance(properties, dict) else {}
    if "id" not in values and "id" in feature:
        values["id"] = feature["id"]
    known = {key: values[key] for key in ZONE_KEYS if values.get(key) is not None}
    return known | {"polygon": rings[0]}


def _with_features(text: str, features: list[tuple[str, dict[str, Any]]], source: Table) -> str:
    """Return the site text with the zones of its zones file appended, as `[[zones.feature]]`.

    Where that cannot be, a fault is noted here or will be when the zone is read.
    """
    lines = [text.rstrip("\n"), "", "# The zones of the file above, written here when it was read."]
    empty = "\n".join([*lines, "[[zones.feature]]"])
    for _, zone in features:
        # Strings, finite numbers and arrays of them read the same in JSON and in TOML, but for one character.
        values = (
            (key, json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")) for key, value in zone.items()
        )
        lines += ["", "[[zones.feature]]", *(f"{key} = {value}" for key, value in values)]
    whole = "\n".join(lines) + "\n"
    if features and _is_toml(whole):
        return whole
    if not _is_toml(empty):
        source.here("must be a table of its own", "write [zones] on one line and file = ... on the next")
        return text
    return text if features else whole


def _is_toml(text: str) -> bool:
    try:
        text.encode()
        parse_toml(text, "")
    except (UnicodeEncodeError, ConfigError):
        return False
    return True


def _effectors(root: Table, origin_deg: Point, site_height_m: float) -> tuple[Effector, ...]:
    effectors = []
    for table, identity in _identified(root.tables("effector", "write each effector model under [[effector]]")):
        lon_deg, lat_deg = _position(table, origin_deg)
        range_m_min = table.number("range_min_m", NOT_NEGATIVE, "give the nearest range of the model in metres")
        range_m_max = table.number("range_max_m", POSITIVE, "give the furthest range of the model in metres")
        if range_m_min >= range_m_max:
            limit = f"must be < range_max_m ({range_m_max:g})"
            table.fault("range_min_m", table.values["range_min_m"], limit, "exchange the two, or mend one")
        kind = table.choice("kind", ("gun", "interceptor"), '"gun": a generic gun; "interceptor": a generic missile')
        effectors.append(
            Effector(
                id=identity,
                kind=cast(Any, kind),
                latitude_rad=math.radians(lat_deg),
                longitude_rad=math.radians(lon_deg),
                height_m=table.number("height_m", HEIGHT_M, "give metres above the ellipsoid", default=site_height_m),
                range_m_min=range_m_min,
                range_m_max=range_m_max,
                magazine_rounds=table.integer("magazine_rounds", NOT_NEGATIVE, "give the number of rounds loaded"),
            )
        )
        table.done()
    return tuple(effectors)


def _policy(table: Table | None) -> Policy:
    if table is None:
        return Policy()
    protect = table.choice(
        "protect",
        ("site", "people"),
        '"site": engage only what threatens an asset; "people": zones too',
        default="site",
    )
    modes = ("hold", "consent", "veto", "automatic")
    mode = table.choice("mode", modes, "say who releases the effector models", default="automatic")
    remedy = '"search" plans; "first_come" and "nearest" are rules of thumb to compare with'
    planner = table.choice("planner", ("search", "first_come", "nearest"), remedy, default="search")
    table.done()
    return Policy(protect=cast(Any, protect), mode=cast(Any, mode), planner=cast(Any, planner))


def _warnings(table: Table | None) -> Warnings:
    usual = Warnings()
    if table is None:
        return usual
    warnings = Warnings(
        probability=table.number(
            "probability", PROBABILITY, "give the probability at which a zone is warned", default=usual.probability
        ),
        dwell_s=table.number(
            "dwell_s", NOT_NEGATIVE, "give the seconds from the last impact to the all-clear", default=usual.dwell_s
        ),
        hazard_radius_m=table.number(
            "hazard_radius_m", POSITIVE, "give the radius of danger about an impact", default=usual.hazard_radius_m
        ),
        **warning_habits(table),
    )
    table.done()
    return warnings


def _identified(tables: list[Table]) -> Iterator[tuple[Table, str]]:
    """Yield each table with its id; an id that an earlier table has is a fault."""
    first: dict[str, str] = {}
    for table in tables:
        identity = table.string("id", "give each a short id of its own, in quotation marks")
        if identity in first and identity:
            table.fault("id", identity, f"must be unique, but {first[identity]} has it", "give each an id of its own")
        first.setdefault(identity, table.place)
        yield table, identity


def _position(table: Table, origin_deg: Point) -> Point:
    """Return longitude and latitude (degrees) of something that stands near the site."""
    lat_deg = table.number("latitude_deg", LATITUDE_DEG, "give degrees north of the equator")
    lon_deg = table.number("longitude_deg", LONGITUDE_DEG, "give degrees east of Greenwich")
    table.findings.placed += 1
    if distance_m(origin_deg, (lon_deg, lat_deg)) > DISTANCE_M_MAX:
        swapped = abs(lon_deg) <= 90 and distance_m(origin_deg, (lat_deg, lon_deg)) <= DISTANCE_M_MAX
        table.findings.misplaced.append(
            Fault(
                f"{table.place}.latitude_deg, longitude_deg",
                f"{lat_deg}, {lon_deg}",
                f"must lie within {DISTANCE_M_MAX / 1000:.0f} km of the site",
                "exchange latitude_deg and longitude_deg" if swapped else "check latitude_deg and longitude_deg",
            )
        )
    return lon_deg, lat_deg

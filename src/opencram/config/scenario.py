"""Reading a scenario file of `opencram simulate`: see `docs/scenario.md` for its language.

As with a site file, a wrong one is answered with every fault in it at once, those of its site included.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from opencram.ballistics.curves import OwnCurve
from opencram.config.document import parse_toml, raise_faults, read_text, sha256_of
from opencram.config.model import Sensor, Site
from opencram.config.polygon import DISTANCE_M_MAX, distance_m
from opencram.config.projectiles import read_curve_name, read_curves
from opencram.config.scenario_faults import read_coloured, read_faults
from opencram.config.scenario_model import (
    EnuPlace,
    GeodeticPlace,
    Launch,
    Place,
    Radar,
    Scenario,
    TruthWeather,
)
from opencram.config.scenario_others import read_echoes, read_gunfire, read_interception, read_outgoing, read_rain
from opencram.config.site import load_site
from opencram.config.table import (
    FINITE,
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
from opencram.config.traffic import read_traffic
from opencram.errors import ConfigError, Fault

CLASSES: Final = ("mortar", "rocket", "shell")
MOTIONS: Final = ("point_mass", "spinning")
DEFAULT_START: Final = "2026-01-01T00:00:00Z"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(2200, 1, 1, tzinfo=UTC)
_DURATION_S: Final = Limits(above=0.0, at_most=86_400.0)
_SEED: Final = Limits(at_least=0, at_most=2**63 - 1)
_SPEED_M_S: Final = Limits(at_least=20.0, at_most=2000.0)
_ELEVATION_DEG: Final = Limits(above=0.0, at_most=90.0)
_AZIMUTH_DEG: Final = Limits(at_least=-360.0, at_most=360.0)
_COEFFICIENT: Final = Limits(at_least=100.0, at_most=100_000.0)
_SPIN_M_S: Final = Limits(at_least=-1000.0, at_most=1000.0)
_BURN_S: Final = Limits(at_least=0.1, at_most=20.0)
_ENU_M: Final = Limits(at_least=-DISTANCE_M_MAX, at_most=DISTANCE_M_MAX)
_COUNT: Final = Limits(at_least=1, at_most=1000)
_WIND_M_S: Final = Limits(at_least=-150.0, at_most=150.0)
_SHEAR_M_S_KM: Final = Limits(at_least=-50.0, at_most=50.0)
_DENSITY: Final = Limits(at_least=0.5, at_most=1.5)
_RADAR_ELEVATION_DEG: Final = Limits(at_least=-10.0, below=90.0)
_BIAS_M: Final = Limits(at_least=-1000.0, at_most=1000.0)
_NO_SENSOR: Final = Sensor(  # stands in where a fault has been noted
    id="",
    latitude_rad=0.0,
    longitude_rad=0.0,
    height_m=0.0,
    range_m_std=1.0,
    azimuth_rad_std=1e-3,
    elevation_rad_std=1e-3,
    range_m_max=1.0,
    detection_probability=1.0,
    clutter_per_scan=0.0,
    period_s=1.0,
)
_MRAD: Final = Limits(above=0.0, at_most=1000.0)
_BIAS_MRAD: Final = Limits(at_least=-100.0, at_most=100.0)


def load_scenario(path: str | Path) -> Scenario:
    """Return the scenario that the file at `path` describes, with its site; raise `ConfigError` with all faults."""
    path = Path(path)
    return parse_scenario(read_text(path), path)


def parse_scenario(text: str, path: str | Path, *, site: Site | None = None) -> Scenario:
    """Return the scenario that `text` describes; its site is looked for beside `path`, unless it is given."""
    scenario, findings = _read(text, Path(path), site)
    raise_faults(path, findings)
    assert scenario is not None  # without a site there is a fault
    return scenario


def scenario_notes(scenario: Scenario, path: str | Path) -> list[str]:
    """Return what the scenario file at `path` holds that opencram has no use for, a line each."""
    return _read(scenario.text, Path(path))[1].notes


def _read(text: str, path: Path, known: Site | None = None) -> tuple[Scenario | None, Findings]:
    findings = Findings()
    root = Table(parse_toml(text, path), "$", findings)
    head = root.table("scenario", 'begin the file with [scenario] and site = "site.toml"', required=True)
    head = head or Table({}, "$.scenario", Findings())
    site = _site(head, path) if known is None else known
    head.knows("site")
    name = head.string("name", "give the scenario a name", default=path.stem)
    start_t_ns = _start(head)
    seed = head.integer("seed", _SEED, "give a whole number: the same seed gives the same raid", default=0)
    duration_s = head.number("duration_s", _DURATION_S, "give the seconds that the simulation lasts")
    head.done()
    weather = _weather(root.table("weather", "write [weather] once"), site)
    brought, _ = read_curves(root, text, path)
    curves = {curve.name: curve for curve in (*(site.drag_curves if site else ()), *brought)}
    launches = tuple(
        _launch(table, index, duration_s, site, curves)
        for index, table in enumerate(root.tables("launch", "write each launch under [[launch]]"))
    )
    _judge_names(launches, findings)
    radars = _radars(
        root.tables("radar", "write what differs from the site under [[radar]]"), start_t_ns, duration_s, site
    )
    traffic = tuple(read_traffic(table) for table in root.tables("traffic", "write each aircraft under [[traffic]]"))
    gunfire = tuple(read_gunfire(table, start_t_ns) for table in root.tables("gunfire", "write [[gunfire]]"))
    outgoing = tuple(read_outgoing(table, start_t_ns) for table in root.tables("outgoing", "write [[outgoing]]"))
    rain = tuple(read_rain(table, start_t_ns, duration_s) for table in root.tables("rain", "write [[rain]]"))
    echoes = tuple(read_echoes(table) for table in root.tables("ground_echoes", "write [[ground_echoes]]"))
    effects = read_interception(root.table("interception", "write [interception] once"))
    root.done()
    if site is None:
        return None, findings
    scenario = Scenario(
        name=name,
        site=site,
        start_t_ns=start_t_ns,
        seed=seed,
        duration_s=duration_s,
        weather=weather,
        launches=launches,
        traffic=traffic,
        gunfire=gunfire,
        outgoing=outgoing,
        rain=rain,
        ground_echoes=echoes,
        effects=effects,
        radars=radars,
        text=text,
        sha256=sha256_of(text),
    )
    return scenario, findings


def _site(head: Table, path: Path) -> Site | None:
    file = head.string("site", 'give the site file, relative to this one: site = "site.toml"')
    if not file:
        return None
    try:
        return load_site(path.parent / file)
    except ConfigError as error:
        head.findings.faults += [Fault(f"{file}: {f.place}", f.value, f.limit, f.remedy) for f in error.faults]
        return None


def _start(head: Table) -> int:
    """Return the time of the scenario's second 0, UTC, in integer nanoseconds."""
    remedy = 'write it as "2026-01-01T00:00:00Z"'
    value = head.values.get("start_time")
    # TOML has times of its own, without quotation marks: both ways of writing are right.
    start = value if isinstance(value, datetime) else _time(head.string("start_time", remedy, default=DEFAULT_START))
    head.knows("start_time")
    if start is None or start.tzinfo is None or not _EPOCH <= start < _END:
        if value is None or isinstance(value, str | datetime):
            shown = value.isoformat() if isinstance(value, datetime) else value
            head.fault("start_time", shown, "must be a UTC time from 1970 to 2199", remedy)
        return 0
    return (start - _EPOCH) // timedelta(microseconds=1) * 1000


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _weather(table: Table | None, site: Site | None) -> TruthWeather:
    believed = site.weather if site else None
    if table is None:
        return TruthWeather(
            wind_east_m_s=believed.wind_east_m_s if believed else 0.0,
            wind_north_m_s=believed.wind_north_m_s if believed else 0.0,
            as_measured=believed is not None and believed.sounding is not None,
        )
    wind = "give metres per second, where the air is moving to, 10 m above the ground"
    shear = "give the change of the wind in m/s per kilometre of height"
    weather = TruthWeather(
        wind_east_m_s=table.number(
            "wind_east_m_s", _WIND_M_S, wind, default=believed.wind_east_m_s if believed else 0.0
        ),
        wind_north_m_s=table.number(
            "wind_north_m_s", _WIND_M_S, wind, default=believed.wind_north_m_s if believed else 0.0
        ),
        shear_east_per_s=table.number("shear_east_m_s_per_km", _SHEAR_M_S_KM, shear, default=0.0) / 1000.0,
        shear_north_per_s=table.number("shear_north_m_s_per_km", _SHEAR_M_S_KM, shear, default=0.0) / 1000.0,
        density_factor=table.number(
            "density_factor", _DENSITY, "give the share of the standard atmosphere's density", default=1.0
        ),
    )
    table.done()
    return weather


def _launch(table: Table, index: int, duration_s: float, site: Site | None, curves: Mapping[str, OwnCurve]) -> Launch:
    time_s = table.number("time_s", NOT_NEGATIVE, "give the seconds after the start of the scenario")
    if time_s >= duration_s:
        table.fault("time_s", table.values["time_s"], f"must be < duration_s ({duration_s:g})", "launch earlier")
    name = table.string("name", "give the round a name", default=f"round {index + 1}")
    class_name = table.choice("class", CLASSES, "say what is launched")
    place = _place(table, "", site, required=True)
    aim = _place(table, "aim_", site, required=False)
    speed_m_s = table.optional_number("speed_m_s", _SPEED_M_S, "give the speed at launch, or at burn-out of a rocket")
    azimuth_deg = table.optional_number("azimuth_deg", _AZIMUTH_DEG, "give degrees clockwise from true north")
    elevation_deg = table.optional_number("elevation_deg", _ELEVATION_DEG, "give degrees above the horizontal")
    _judge_direction(table, aimed=any(key.startswith("aim_") for key in table.values))
    curve = read_curve_name(table, curves)
    launch = Launch(
        name=name,
        time_s=time_s,
        class_name=cast(Any, class_name),
        place=place or EnuPlace(east_m=0.0, north_m=0.0),
        aim=aim,
        speed_m_s=speed_m_s,
        azimuth_rad=None if azimuth_deg is None else math.radians(azimuth_deg % 360.0),
        elevation_rad=None if elevation_deg is None else math.radians(elevation_deg),
        ballistic_coefficient_kg_m2=table.optional_number(
            "ballistic_coefficient_kg_m2", _COEFFICIENT, "give mass over area on its drag curve"
        ),
        spin_drift_m_s=table.optional_number(
            "spin_drift_m_s", _SPIN_M_S, "give the spin-drift constant; 0 for a round that does not spin"
        ),
        count=table.integer("count", _COUNT, "give the number of rounds of the salvo", default=1),
        interval_s=table.number("interval_s", NOT_NEGATIVE, "give the seconds between rounds", default=0.0),
        dispersion_m=table.number(
            "dispersion_m", NOT_NEGATIVE, "give one standard deviation of the impacts in metres", default=0.0
        ),
        burn_time_s=table.optional_number("burn_time_s", _BURN_S, "give the seconds that the motor burns") or 0.0,
        motion=cast(Any, table.choice("motion", MOTIONS, "say how it flies", default="point_mass")),
        curve="" if curve in curves else curve,
        own_curve=curves.get(curve),
    )
    table.done()
    _judge_motion(table, launch)
    last_s = time_s + (launch.count - 1) * launch.interval_s
    if last_s >= duration_s > time_s:
        limit = f"the last of {launch.count} rounds leaves at {last_s:g} s, after the end ({duration_s:g} s)"
        table.fault(
            "interval_s", table.values.get("interval_s", 0.0), limit, "shorten the salvo or lengthen duration_s"
        )
    return launch


def _judge_names(launches: tuple[Launch, ...], findings: Findings) -> None:
    """Note names that stand twice: the draws of a salvo, and the truth that is kept, go by name."""
    first: dict[str, int] = {}
    for index, launch in enumerate(launches):
        if launch.name and first.setdefault(launch.name, index) != index:
            limit = f"must be unique, but $.launch[{first[launch.name]}] has it"
            findings.fault(f"$.launch[{index}].name", launch.name, limit, "give each launch a name of its own")


def _judge_motion(table: Table, launch: Launch) -> None:
    """Note a motor of what is no rocket, a spin of what is no shell, and two words on the drift of one."""
    if launch.burn_time_s > 0.0 and launch.class_name != "rocket":
        table.fault("burn_time_s", launch.burn_time_s, "only a rocket has a motor", "leave it out")
    if launch.motion == "spinning" and launch.class_name != "shell":
        table.fault("motion", launch.motion, "only a shell spins", 'leave it out, or make it class = "shell"')
    if launch.motion == "spinning" and launch.spin_drift_m_s is not None:
        limit = 'must not stand beside motion = "spinning", whose drift follows from its spin'
        table.fault("spin_drift_m_s", launch.spin_drift_m_s, limit, "keep one of the two")


def _judge_direction(table: Table, *, aimed: bool) -> None:
    """Note a launch that says too little or too much of how it leaves."""
    given = [key for key in ("speed_m_s", "azimuth_deg", "elevation_deg") if key in table.values]
    remedy = "give speed_m_s, azimuth_deg and elevation_deg, or aim_... with one of speed_m_s and elevation_deg"
    if aimed and "azimuth_deg" in given:
        table.fault("azimuth_deg", table.values["azimuth_deg"], "must not stand beside aim_...", remedy)
    elif aimed and len(given) != 1:
        value = [table.values[key] for key in given] or MISSING
        table.fault(
            "elevation_deg", value, "exactly one of speed_m_s and elevation_deg must stand beside aim_...", remedy
        )
    elif not aimed and len(given) < 3:
        missing = [key for key in ("speed_m_s", "azimuth_deg", "elevation_deg") if key not in given]
        for key in missing:
            table.fault(key, MISSING, "is required without aim_...", remedy)


def _place(table: Table, prefix: str, site: Site | None, *, required: bool) -> Place | None:
    """Return the point by `latitude_deg` and `longitude_deg`, or by `east_m` and `north_m`, with `prefix`."""
    geodetic = [f"{prefix}latitude_deg", f"{prefix}longitude_deg"]
    enu = [f"{prefix}east_m", f"{prefix}north_m"]
    by_degrees = any(key in table.values for key in geodetic)
    by_metres = any(key in table.values for key in enu)
    if by_degrees and by_metres:
        limit = f"must not stand beside {enu[0]} and {enu[1]}"
        table.fault(geodetic[0], table.values.get(geodetic[0], MISSING), limit, "keep one of the two pairs")
    if by_metres or not (by_degrees or required):
        east_m = table.optional_number(enu[0], _ENU_M, "give metres east of the site")
        north_m = table.optional_number(enu[1], _ENU_M, "give metres north of the site")
        for key in geodetic:
            table.optional_number(key, FINITE, "give degrees")
        if not by_metres:
            return None
        for key, value in zip(enu, (east_m, north_m), strict=True):
            if value is None:
                table.fault(key, MISSING, "is required", "give both metres east and metres north of the site")
        return EnuPlace(east_m=east_m or 0.0, north_m=north_m or 0.0)
    for key in enu:
        table.optional_number(key, _ENU_M, "give metres")
    remedy = f"give {geodetic[0]} and {geodetic[1]}, or {enu[0]} and {enu[1]}"
    latitude_deg = table.number(geodetic[0], LATITUDE_DEG, remedy)
    longitude_deg = table.number(geodetic[1], LONGITUDE_DEG, remedy)
    if site is not None:
        origin_deg = (math.degrees(site.longitude_rad), math.degrees(site.latitude_rad))
        if distance_m(origin_deg, (longitude_deg, latitude_deg)) > DISTANCE_M_MAX:
            limit = f"must lie within {DISTANCE_M_MAX / 1000:.0f} km of the site"
            table.fault(geodetic[0], latitude_deg, limit, f"check {geodetic[0]} and {geodetic[1]}")
    return GeodeticPlace(latitude_rad=math.radians(latitude_deg), longitude_rad=math.radians(longitude_deg))


def _radars(tables: list[Table], start_t_ns: int, duration_s: float, site: Site | None) -> tuple[Radar, ...]:
    sensors = {sensor.id: sensor for sensor in site.sensors} if site else {}
    written: dict[str, Radar] = {}
    for table in tables:
        remedy = "name a sensor of the site: " + ", ".join(f'"{name}"' for name in sensors)
        identity = table.string("sensor", remedy)
        sensor = sensors.get(identity)
        if identity and site and sensor is None:
            table.fault("sensor", identity, "must be the id of a sensor of the site", remedy)
        if identity in written:
            table.fault("sensor", identity, "must be unique", "write everything about one radar in one [[radar]]")
        radar = _radar(table, identity, sensor or _NO_SENSOR, start_t_ns, duration_s)
        written.setdefault(identity, radar)
        table.done()
    as_site = Table({}, "$.radar", Findings())
    return tuple(written.get(s.id) or _radar(as_site, s.id, s, start_t_ns, duration_s) for s in sensors.values())


def _radar(table: Table, identity: str, sensor: Sensor, start_t_ns: int, duration_s: float) -> Radar:
    """Return the radar `table` describes; what it leaves out is as the site's `sensor` has it."""
    own = "leave it out to have the site's own value"
    added = "give what is added to every plot"
    mrad = 1e-3
    return Radar(
        sensor=identity,
        range_m_std=table.number("range_std_m", POSITIVE, own, default=sensor.range_m_std),
        azimuth_rad_std=table.number("azimuth_std_mrad", _MRAD, own, default=sensor.azimuth_rad_std / mrad) * mrad,
        elevation_rad_std=table.number("elevation_std_mrad", _MRAD, own, default=sensor.elevation_rad_std / mrad)
        * mrad,
        range_m_max=table.number("range_max_m", POSITIVE, own, default=sensor.range_m_max),
        period_s=table.number("period_s", POSITIVE, own, default=sensor.period_s),
        detection_probability=table.number(
            "detection_probability", PROBABILITY, own, default=sensor.detection_probability
        ),
        clutter_per_scan=table.number("clutter_per_scan", NOT_NEGATIVE, own, default=sensor.clutter_per_scan),
        elevation_rad_min=math.radians(
            table.number("elevation_min_deg", _RADAR_ELEVATION_DEG, "give the lowest elevation seen", default=1.0)
        ),
        bias_range_m=table.number("bias_range_m", _BIAS_M, added, default=0.0),
        bias_azimuth_rad=table.number("bias_azimuth_mrad", _BIAS_MRAD, added, default=0.0) * mrad,
        bias_elevation_rad=table.number("bias_elevation_mrad", _BIAS_MRAD, added, default=0.0) * mrad,
        dropouts_s=_dropouts(table, duration_s),
        range_rate_m_s_std=table.number("doppler_std_m_s", NOT_NEGATIVE, "give metres per second", default=0.0),
        range_m_quantum=table.number("range_step_m", NOT_NEGATIVE, "give the step of its ranges", default=0.0),
        angle_rad_quantum=table.number("angle_step_mrad", NOT_NEGATIVE, "give the step of its angles", default=0.0)
        * mrad,
        fades_per_s=table.number("fades_per_s", NOT_NEGATIVE, "give how often a second one begins", default=0.0),
        fade_s_mean=table.number("fade_s", POSITIVE, "give the mean length of a fade", default=1.0),
        glint=read_coloured(table, "glint"),
        faults=read_faults(table, start_t_ns, duration_s),
    )


def _dropouts(table: Table, duration_s: float) -> tuple[tuple[float, float], ...]:
    remedy = "give [[from_s, to_s], ...] in seconds after the start, in order"
    spans: list[tuple[float, float]] = []
    for index, item in enumerate(table.array("dropouts", remedy, required=False)):
        key = f"dropouts[{index}]"
        place = f"{table.place}.{key}"
        numbers = [as_number(part) for part in item] if isinstance(item, list) else []
        if len(numbers) != 2 or not all(number is not None and math.isfinite(number) for number in numbers):
            table.findings.fault(place, item, "must be two finite numbers", remedy)
            continue
        start_s, end_s = cast(list[float], numbers)
        if not 0.0 <= start_s < end_s:
            table.findings.fault(place, item, "must run from >= 0 to a later time", remedy)
        elif spans and start_s < spans[-1][1]:
            table.findings.fault(place, item, f"must begin at or after {spans[-1][1]:g}", remedy)
        elif start_s >= duration_s:
            table.findings.fault(place, item, f"must begin before duration_s ({duration_s:g})", remedy)
        else:
            spans.append((start_s, end_s))
    return tuple(spans)

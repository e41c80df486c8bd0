"""Reading what a scenario holds beside the rounds: gunfire, fire of one's own, showers, echoes of the ground.

Places are metres east and north of the site; the simulation puts them on its ground.
"""

import math
from typing import Final

from opencram.config.polygon import DISTANCE_M_MAX
from opencram.config.table import NOT_NEGATIVE, POSITIVE, Limits, Table
from opencram.simulation.classes import usual_round
from opencram.simulation.launch import velocity_of
from opencram.simulation.model import Effects, GroundEchoes, Gunfire, Rain, Round, Salvo

_ENU_M: Final = Limits(at_least=-DISTANCE_M_MAX, at_most=DISTANCE_M_MAX)
_AZIMUTH_DEG: Final = Limits(at_least=-360.0, at_most=360.0)
_ELEVATION_DEG: Final = Limits(above=0.0, at_most=90.0)
_SPEED_M_S: Final = Limits(at_least=20.0, at_most=2000.0)
_COUNT: Final = Limits(at_least=1, at_most=1000)
_PIECES: Final = Limits(at_least=0, at_most=50)
_SHARE: Final = Limits(at_least=0.0, at_most=1.0)
_RATE: Final = Limits(at_least=0.0, at_most=1000.0)
_TURN_DEG_S: Final = Limits(at_least=-90.0, at_most=90.0)
_SPREAD_MRAD: Final = Limits(at_least=0.0, at_most=500.0)


def read_gunfire(table: Table, start_t_ns: int) -> Gunfire:
    """Return the bursts of one machine gun, after noting its faults."""
    usual = Gunfire(name="", start_t_ns=0, position_enu_m=(0.0, 0.0, 0.0), azimuth_rad=0.0, elevation_rad=0.0)
    found = Gunfire(
        name=table.string("name", "give the gun a name", default=table.place),
        start_t_ns=_t_ns(table, "time_s", start_t_ns),
        position_enu_m=_place(table),
        azimuth_rad=_angle(table, "azimuth_deg", _AZIMUTH_DEG),
        elevation_rad=_angle(table, "elevation_deg", _ELEVATION_DEG),
        bursts=table.integer("bursts", _COUNT, "give the number of bursts", default=usual.bursts),
        burst_rounds=table.integer("burst_rounds", _COUNT, "give the rounds of a burst", default=usual.burst_rounds),
        rate_per_s=table.number("rate_per_s", POSITIVE, "give rounds a second", default=usual.rate_per_s),
        pause_s=table.number("pause_s", NOT_NEGATIVE, "give the seconds between bursts", default=usual.pause_s),
        speed_m_s=table.number("speed_m_s", _SPEED_M_S, "give the speed at the muzzle", default=usual.speed_m_s),
        spread_rad=table.number("spread_mrad", _SPREAD_MRAD, "give one standard deviation", default=5.0) * 1e-3,
        sweep_rad_s=math.radians(table.number("sweep_deg_s", _TURN_DEG_S, "give degrees a second", default=0.0)),
        detection_share=table.number(
            "detection_share", _SHARE, "give a share of the radar's", default=usual.detection_share
        ),
        seen_s=table.number("seen_s", POSITIVE, "give how long a bullet is seen", default=usual.seen_s),
    )
    table.done()
    return found


def read_outgoing(table: Table, start_t_ns: int) -> Salvo:
    """Return a salvo of one's own, after noting its faults."""
    class_name = table.choice("class", ("mortar", "rocket", "shell"), "say what is fired")
    usual = usual_round(class_name)
    speed = table.number("speed_m_s", _SPEED_M_S, "give the speed at the muzzle")
    azimuth, elevation = _angle(table, "azimuth_deg", _AZIMUTH_DEG), _angle(table, "elevation_deg", _ELEVATION_DEG)
    pattern = Round(
        name=table.string("name", "give the fire a name", default=table.place),
        class_name=class_name,
        launch_t_ns=_t_ns(table, "time_s", start_t_ns),
        position_enu_m=_place(table),
        velocity_enu_m_s=velocity_of(speed, azimuth, elevation),
        ballistic_coefficient_kg_m2=usual.ballistic_coefficient_kg_m2,
        spin_drift_m_s=usual.spin_drift_m_s,
        source=usual.source,
    )
    found = Salvo(
        pattern=pattern,
        count=table.integer("count", _COUNT, "give the number of rounds", default=1),
        interval_s=table.number("interval_s", NOT_NEGATIVE, "give the seconds between rounds", default=0.0),
    )
    table.done()
    return found


def read_rain(table: Table, start_t_ns: int, duration_s: float) -> Rain:
    """Return a shower, after noting its faults."""
    usual = Rain(name="", start_t_ns=0, end_t_ns=0, east_m=0.0, north_m=0.0)
    begin, end = table.number("from_s", NOT_NEGATIVE, "give a second", default=0.0), duration_s
    if "to_s" in table.values:
        end = table.number("to_s", NOT_NEGATIVE, "give a second")
    table.knows("to_s")
    if end <= begin:
        table.fault("to_s", end, f"must be > from_s ({begin:g})", "let it rain for a while")
    east, north, _ = _place(table)
    found = Rain(
        name=table.string("name", "give the shower a name", default=table.place),
        start_t_ns=start_t_ns + _ns(begin),
        end_t_ns=start_t_ns + _ns(end),
        east_m=east,
        north_m=north,
        radius_m=table.number("radius_m", POSITIVE, "give metres", default=usual.radius_m),
        top_m=table.number("top_m", POSITIVE, "give metres over the ground", default=usual.top_m),
        plots_per_scan=table.number("plots_per_scan", _RATE, "give the mean of a scan", default=usual.plots_per_scan),
        fall_m_s=table.number("fall_m_s", NOT_NEGATIVE, "give metres per second", default=usual.fall_m_s),
    )
    table.done()
    return found


def read_echoes(table: Table) -> GroundEchoes:
    """Return a clump of fixed echoes, after noting its faults."""
    usual = GroundEchoes(name="", east_m=0.0, north_m=0.0)
    east, north, _ = _place(table)
    found = GroundEchoes(
        name=table.string("name", "give the place a name", default=table.place),
        east_m=east,
        north_m=north,
        count=table.integer("count", _COUNT, "give the number of echoes", default=usual.count),
        spread_m=table.number("spread_m", NOT_NEGATIVE, "give one standard deviation", default=usual.spread_m),
        height_m=table.number("height_m", NOT_NEGATIVE, "give the greatest height", default=usual.height_m),
        detection_probability=table.number(
            "detection_probability", _SHARE, "give that of one echo in one scan", default=usual.detection_probability
        ),
        sway_m_s=table.number("sway_m_s", NOT_NEGATIVE, "give metres per second", default=usual.sway_m_s),
    )
    table.done()
    return found


def read_interception(table: Table | None) -> Effects:
    """Return what becomes of a round that is killed, after noting faults."""
    usual = Effects()
    if table is None:
        return usual
    found = Effects(
        detonation_share=table.number(
            "detonation_share", _SHARE, "give the share of killed rounds that detonate", default=usual.detonation_share
        ),
        break_up_share=table.number(
            "break_up_share", _SHARE, "give the share of killed rounds that break up", default=usual.break_up_share
        ),
        debris_count=table.integer("debris_count", _PIECES, "give the pieces of one round", default=usual.debris_count),
        debris_spread_m_s=table.number(
            "debris_spread_m_s", NOT_NEGATIVE, "give metres per second", default=usual.debris_spread_m_s
        ),
        debris_detection_share=table.number(
            "debris_detection_share", _SHARE, "give the share of that of a round", default=usual.debris_detection_share
        ),
        debris_seen_s=table.number(
            "debris_seen_s", NOT_NEGATIVE, "give the seconds that radars see a piece", default=usual.debris_seen_s
        ),
    )
    if found.detonation_share + found.break_up_share > 1.0:
        shares = f"{found.detonation_share:g} + {found.break_up_share:g}"
        limit = "must not be more than 1 together: the rest are duds"
        table.fault("break_up_share", shares, limit, "make detonation_share or break_up_share smaller")
    table.done()
    return found


def _place(table: Table) -> tuple[float, float, float]:
    east = table.number("east_m", _ENU_M, "give metres east of the site")
    north = table.number("north_m", _ENU_M, "give metres north of the site")
    return east, north, 0.0


def _angle(table: Table, key: str, limits: Limits) -> float:
    return math.radians(table.number(key, limits, "give degrees"))


def _t_ns(table: Table, key: str, start_t_ns: int) -> int:
    return start_t_ns + _ns(table.number(key, NOT_NEGATIVE, "give the seconds after the start of the scenario"))


def _ns(seconds: float) -> int:
    return round(seconds * 1e9) if math.isfinite(seconds) else 0  # a fault has been noted

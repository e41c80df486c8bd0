"""From a scenario file to the world that the simulation flies: aims are solved for, salvos spread, radars made true."""

import math
from dataclasses import replace

import numpy as np

from opencram.config.model import Effector, Sensor, Site
from opencram.config.scenario_model import EnuPlace, Launch, Place, Radar, Scenario
from opencram.earth.geodesy import Frame, enu_from_geodetic, geodetic_from_enu
from opencram.errors import OpencramError
from opencram.runtime.weather import measured
from opencram.simulation import model, solve
from opencram.simulation.classes import body_of, usual_round
from opencram.simulation.flights import FLIGHT_S_MAX, Flyer
from opencram.simulation.launch import velocity_of
from opencram.simulation.streams import stream

EastNorth = tuple[float, float]


def world_of(scenario: Scenario) -> model.WorldConfig:
    """Return the simulated world of a scenario.  Aimed rounds are flown here, so the first call compiles kernels.

    Raises `OpencramError` for a launch that cannot reach its aim, or never lands.
    """
    site = scenario.site
    weather = scenario.weather
    empty = model.WorldConfig(
        seed=scenario.seed,
        latitude_rad=site.latitude_rad,
        longitude_rad=site.longitude_rad,
        height_m=site.height_m,
        ground_height_m=site.ground_height_m,
        start_t_ns=scenario.start_t_ns,
        duration_s=scenario.duration_s,
        radars=tuple(
            _radar(sensor, radar, scenario.start_t_ns)
            for sensor, radar in zip(site.sensors, scenario.radars, strict=True)
        ),
        effectors=tuple(_effector(effector) for effector in site.effectors),
        air=model.Air(
            wind_east_m_s=weather.wind_east_m_s,
            wind_north_m_s=weather.wind_north_m_s,
            shear_east_per_s=weather.shear_east_per_s,
            shear_north_per_s=weather.shear_north_per_s,
            density_factor=weather.density_factor,
            profile=measured(site) if weather.as_measured else None,
        ),
        traffic=tuple(
            model.Mover(
                name=each.name,
                class_name=each.class_name,
                start_t_ns=scenario.start_t_ns + round(each.time_s * 1e9),
                waypoints_enu_m=each.waypoints_enu_m,
                speed_m_s=each.speed_m_s,
                hover_s=each.hover_s,
                count=each.count,
                spread_m=each.spread_m,
                wander_m_s=each.wander_m_s,
                detection_share=each.detection_share,
                acceleration_m_s2_max=each.acceleration_m_s2_max,
            )
            for each in scenario.traffic
        ),
        gunfire=tuple(replace(gun, position_enu_m=_up(scenario, gun.position_enu_m)) for gun in scenario.gunfire),
        outgoing=tuple(
            replace(
                salvo,
                pattern=replace(salvo.pattern, position_enu_m=_up(scenario, salvo.pattern.position_enu_m)),
            )
            for salvo in scenario.outgoing
        ),
        rain=scenario.rain,
        ground_echoes=scenario.ground_echoes,
        effects=scenario.effects,
        note=scenario.name,
        terrain=site.terrain,
    )
    flyer = Flyer.of(empty)
    rounds = [each for launch in scenario.launches for each in _rounds(scenario, flyer, launch)]
    return replace(empty, rounds=tuple(rounds))


def _rounds(scenario: Scenario, flyer: Flyer, launch: Launch) -> list[model.Round]:
    """Return the rounds of one launch.  Round k has draws of its own, so that a longer salvo begins alike."""
    usual = usual_round(launch.class_name)
    coefficient, spin = launch.ballistic_coefficient_kg_m2, launch.spin_drift_m_s
    pattern = model.Round(
        name=launch.name,
        class_name=launch.class_name,
        launch_t_ns=scenario.start_t_ns + round(launch.time_s * 1e9),
        position_enu_m=_on_ground(scenario, launch.place),
        velocity_enu_m_s=(0.0, 0.0, 0.0),
        ballistic_coefficient_kg_m2=usual.ballistic_coefficient_kg_m2 if coefficient is None else coefficient,
        spin_drift_m_s=usual.spin_drift_m_s if spin is None else spin,
        curve=launch.curve,
        own_curve=launch.own_curve,
        burn_s=launch.burn_time_s,
        body=body_of(usual) if launch.motion == "spinning" else None,
        source="scenario" if coefficient is not None else usual.source,
    )
    first, aim_m = _first(scenario, flyer, launch, pattern)
    rounds = [first]
    for k in range(1, launch.count):
        dispersed_m = launch.dispersion_m * stream(scenario.seed, f"launch/{launch.name}/{k}").standard_normal(2)
        velocity = first.velocity_enu_m_s
        if launch.dispersion_m > 0.0:
            target_m = (aim_m[0] + float(dispersed_m[0]), aim_m[1] + float(dispersed_m[1]))
            velocity = _solved(flyer, launch, pattern, target_m)
        t_ns = pattern.launch_t_ns + round(k * launch.interval_s * 1e9)
        name = f"{launch.name} {k + 1}"
        rounds.append(replace(pattern, name=name, launch_t_ns=t_ns, velocity_enu_m_s=velocity))
    return rounds


def _first(scenario: Scenario, flyer: Flyer, launch: Launch, pattern: model.Round) -> tuple[model.Round, EastNorth]:
    """Return the first round, and the point east and north on which it falls."""
    if launch.aim is not None:
        east, north, _ = _on_ground(scenario, launch.aim)
        return replace(pattern, velocity_enu_m_s=_solved(flyer, launch, pattern, (east, north))), (east, north)
    assert launch.speed_m_s is not None
    assert launch.azimuth_rad is not None
    assert launch.elevation_rad is not None
    velocity = velocity_of(launch.speed_m_s, launch.azimuth_rad, launch.elevation_rad)
    fall = flyer.land(pattern, np.array([velocity]))[0]
    if not np.isfinite(fall).all():
        raise OpencramError(
            f"round {launch.name!r} has not landed {FLIGHT_S_MAX:g} s after its launch, and is flown no longer; "
            "lower its speed_m_s or its elevation_deg"
        )
    return replace(pattern, velocity_enu_m_s=velocity), (float(fall[0]), float(fall[1]))


def _solved(flyer: Flyer, launch: Launch, pattern: model.Round, aim_m: EastNorth) -> model.Vector:
    """Return the velocity whose round falls on the aim: the elevation is kept where it is given, else the speed."""
    if launch.elevation_rad is not None:
        return solve.for_elevation(flyer, pattern, aim_m, launch.elevation_rad).velocity_enu_m_s
    assert launch.speed_m_s is not None
    branch: solve.Branch = "high" if launch.class_name == "mortar" else "low"
    return solve.for_speed(flyer, pattern, aim_m, launch.speed_m_s, branch).velocity_enu_m_s


def _on_ground(scenario: Scenario, place: Place) -> model.Vector:
    """Return a place on the site's ground in its ENU: down from the tangent plane as the earth curves."""
    site = scenario.site
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    if not isinstance(place, EnuPlace):
        ground_m = site.ground_height_m
        for _ in range(3 if site.terrain else 1):  # where on the terrain a point stands hangs on its height, a little
            at = enu_from_geodetic(frame, place.latitude_rad, place.longitude_rad, ground_m)
            ground_m = _ground_m(site, float(at[0]), float(at[1]))
        return float(at[0]), float(at[1]), float(at[2])
    up, ground_m = 0.0, _ground_m(site, place.east_m, place.north_m)
    for _ in range(3):  # lines of height tilt by a milliradian or two: each pass gains three digits
        height = float(geodetic_from_enu(frame, [place.east_m, place.north_m, up])[2])
        up += ground_m - height
    return place.east_m, place.north_m, up


def _ground_m(site: Site, east_m: float, north_m: float) -> float:
    """Return the height of the ground: of the terrain where there is one, else the site's constant one."""
    height_m = float(site.terrain.at(east_m, north_m)) if site.terrain else math.nan
    return height_m if math.isfinite(height_m) else site.ground_height_m


def _up(scenario: Scenario, place: model.Vector) -> model.Vector:
    """Return a point of these metres east and north on the ground."""
    return _on_ground(scenario, EnuPlace(east_m=place[0], north_m=place[1]))


def _radar(sensor: Sensor, radar: Radar, start_t_ns: int) -> model.Radar:
    assert sensor.id == radar.sensor
    return model.Radar(
        id=sensor.id,
        latitude_rad=sensor.latitude_rad,
        longitude_rad=sensor.longitude_rad,
        height_m=sensor.height_m,
        range_m_std=radar.range_m_std,
        azimuth_rad_std=radar.azimuth_rad_std,
        elevation_rad_std=radar.elevation_rad_std,
        period_s=radar.period_s,
        range_m_max=radar.range_m_max,
        elevation_rad_min=radar.elevation_rad_min,
        detection_probability=radar.detection_probability,
        clutter_per_scan=radar.clutter_per_scan,
        clutter=model.Clutter(range_m_max=min(model.Clutter().range_m_max, radar.range_m_max)),
        range_m_bias=radar.bias_range_m,
        azimuth_rad_bias=radar.bias_azimuth_rad,
        elevation_rad_bias=radar.bias_elevation_rad,
        outages_t_ns=tuple(
            (start_t_ns + round(begin_s * 1e9), start_t_ns + round(end_s * 1e9)) for begin_s, end_s in radar.dropouts_s
        ),
        range_rate_m_s_std=radar.range_rate_m_s_std,
        range_m_quantum=radar.range_m_quantum,
        angle_rad_quantum=radar.angle_rad_quantum,
        fades_per_s=radar.fades_per_s,
        fade_s_mean=radar.fade_s_mean,
        coloured=radar.glint,
        faults=radar.faults,
    )


def _effector(effector: Effector) -> model.Effector:
    return model.Effector(
        id=effector.id,
        kind=effector.kind,
        latitude_rad=effector.latitude_rad,
        longitude_rad=effector.longitude_rad,
        height_m=effector.height_m,
        range_m_max=effector.range_m_max,
    )

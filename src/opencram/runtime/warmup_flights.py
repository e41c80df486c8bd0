"""The scenario that makes the kernels of the simulation ready, for `runtime.warmup`."""

from opencram.config.scenario_model import (
    EnuPlace,
    Launch,
    Motion,
    ProjectileClass,
    Radar,
    Scenario,
    TruthWeather,
)
from opencram.runtime.warmup import START_NS, built_in_site


def scenario() -> Scenario:
    """Return a scenario of three rounds at the built-in site, for half a second."""
    site = built_in_site()
    sensor = site.sensors[0]
    return Scenario(
        name="warm-up",
        site=site,
        start_t_ns=START_NS,
        seed=0,
        duration_s=0.5,
        weather=TruthWeather(),
        launches=(
            _launch("coasting", "rocket"),
            _launch("boosted", "rocket", burn_time_s=0.5),
            _launch("spinning", "shell", motion="spinning"),
        ),
        radars=(
            Radar(
                sensor=sensor.id,
                range_m_std=sensor.range_m_std,
                azimuth_rad_std=sensor.azimuth_rad_std,
                elevation_rad_std=sensor.elevation_rad_std,
                range_m_max=sensor.range_m_max,
                period_s=sensor.period_s,
                detection_probability=sensor.detection_probability,
                clutter_per_scan=sensor.clutter_per_scan,
                elevation_rad_min=0.0,
                bias_range_m=0.0,
                bias_azimuth_rad=0.0,
                bias_elevation_rad=0.0,
                dropouts_s=(),
            ),
        ),
        text="",
        sha256="",
    )


def _launch(
    name: str, class_name: ProjectileClass, *, burn_time_s: float = 0.0, motion: Motion = "point_mass"
) -> Launch:
    """Return the launch of a round at the built-in site."""
    return Launch(
        name=name,
        time_s=0.0,
        class_name=class_name,
        place=EnuPlace(east_m=5000.0, north_m=0.0),
        aim=EnuPlace(east_m=0.0, north_m=0.0),
        speed_m_s=None,
        azimuth_rad=None,
        elevation_rad=0.8,
        ballistic_coefficient_kg_m2=None,
        spin_drift_m_s=None,
        count=1,
        interval_s=0.0,
        dispersion_m=0.0,
        burn_time_s=burn_time_s,
        motion=motion,
    )

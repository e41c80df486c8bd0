"""The radars of a site as readers and writers of binary formats know them."""

from opencram.adapters.stations import Station, numbered
from opencram.config.model import Site


def stations(site: Site) -> tuple[Station, ...]:
    """Return a station for each sensor, in the order of the site file."""
    geoid_m = site.weather.geoid_height_m if site.weather is not None else 0.0
    return numbered(
        Station(
            id=sensor.id,
            latitude_rad=sensor.latitude_rad,
            longitude_rad=sensor.longitude_rad,
            height_m=sensor.height_m,
            range_m_std=sensor.range_m_std,
            azimuth_rad_std=sensor.azimuth_rad_std,
            elevation_rad_std=sensor.elevation_rad_std,
            range_m_max=sensor.range_m_max,
            period_s=sensor.period_s,
            out_of_order_s=sensor.out_of_order_s,
            geoid_m=geoid_m if sensor.geoid_m is None else sensor.geoid_m,
            sac=sensor.sac,
            sic=sensor.sic,
            node_id=sensor.node_id,
            doppler_sign=sensor.doppler_sign,
        )
        for sensor in site.sensors
    )

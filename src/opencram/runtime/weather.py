"""The measured atmosphere over a site, as every stage is given it."""

from opencram.config.model import Site
from opencram.earth.profile import Profile, profile_of


def measured(site: Site) -> Profile | None:
    """Return the measured atmosphere over a site, None where its weather file gives none."""
    weather = site.weather
    if weather is None or weather.sounding is None or not (weather.sounding.air or weather.sounding.wind):
        return None
    return profile_of(weather.sounding, site.latitude_rad, geoid_m=weather.geoid_height_m)

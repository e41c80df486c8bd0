"""What stands in for what a site does not know, as its log says first of all."""

from opencram.config.model import Site
from opencram.config.site import site_notes
from opencram.config.weather import short_notes
from opencram.messages import Health, Message


def site_health(site: Site, t_ns: int) -> list[Message]:
    """Return what the log says first of the site: every place where something else stands in for what is not known."""
    terrain = [note for note in site_notes(site) if note.startswith("$.terrain")] if site.terrain is not None else []
    told = [Health(t_ns=t_ns, part="terrain", state="degraded", reason=note) for note in terrain]
    return [*weather_health(site, t_ns), *told]


def weather_health(site: Site, t_ns: int) -> list[Health]:
    """Return what the log says first of the site's weather file, where it does not reach as high as rounds fly."""
    return [Health(t_ns=t_ns, part="weather", state="degraded", reason=note) for note in short_notes(site.weather)]

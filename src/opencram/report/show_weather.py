"""The atmosphere of a site as arrays, and as a figure: density, temperature, sound and wind by height.

    profile = load_profile("met.txt", latitude_deg=33.3)     # any weather file, in one call
    figure(atmosphere(profile)).savefig("weather.svg")       # needs the extra `plots`

Everything is drawn beside the International Standard Atmosphere, for what matters is the difference: one
percent of density moves a shell of 13 km range by 47 m.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opencram.config.model import Site
from opencram.config.weather import read_weather_file
from opencram.earth.atmosphere import isa
from opencram.earth.gas import KELVIN
from opencram.earth.met.sounding import Sounding
from opencram.earth.profile import Profile, profile_of
from opencram.errors import UsageError

Array = NDArray[np.float64]

TOP_M: Final = 20_000.0
STEP_M: Final = 50.0

_INK, _BLUE, _RED, _GREY = "#1f2933", "#1f6feb", "#c2410c", "#9aa5b1"


@dataclass(frozen=True, kw_only=True)
class Atmosphere:
    """Air and wind at even heights above sea level; `isa_…` is the standard atmosphere there."""

    height_m: Array
    virtual_temperature_k: Array
    pressure_pa: Array
    density_kg_m3: Array
    sound_m_s: Array
    wind_east_m_s: Array  # where the air is moving to
    wind_north_m_s: Array
    wind_from_rad: Array  # clockwise from true north, [0, 2π)
    wind_speed_m_s: Array
    isa_temperature_k: Array
    isa_pressure_pa: Array
    isa_density_kg_m3: Array
    isa_sound_m_s: Array
    air_levels_m: Array  # where it was measured; between and beyond it is the profile's rule
    wind_levels_m: Array
    title: str = ""

    @property
    def density_share(self) -> Array:
        """Density as a share of the standard one."""
        return self.density_kg_m3 / self.isa_density_kg_m3


def load_profile(path: str | Path, *, latitude_deg: float = 45.0, longitude_deg: float = 0.0) -> Profile:
    """Return the profile of a weather file of any format; raise `ConfigError` with its faults.

    The place is that of the site: what fields are interpolated to, and whose gravity makes heights of geopotentials.
    """
    sounding = read_weather_file(path, latitude_deg=latitude_deg, longitude_deg=longitude_deg)
    return profile_of(sounding, math.radians(latitude_deg))


def site_atmosphere(site: Site, *, top_m: float = TOP_M, step_m: float = STEP_M) -> Atmosphere:
    """Return the air that flights over a site meet: its sounding, or the standard atmosphere and its constant wind."""
    weather = site.weather
    sounding = weather.sounding if weather and weather.sounding else Sounding(format="standard atmosphere")
    profile = profile_of(sounding, site.latitude_rad)
    if weather and not profile.wind_heights_m:
        profile = Profile(
            latitude_rad=profile.latitude_rad,
            heights_m=profile.heights_m,
            pressures_pa=profile.pressures_pa,
            virtual_temperatures_k=profile.virtual_temperatures_k,
            wind_heights_m=(0.0,),
            wind_east_m_s=(weather.wind_east_m_s,),
            wind_north_m_s=(weather.wind_north_m_s,),
        )
    title = ", ".join(part for part in (site.name, sounding.format, sounding.time) if part)
    return atmosphere(profile, bottom_m=min(site.ground_height_m, 0.0), top_m=top_m, step_m=step_m, title=title)


def atmosphere(
    profile: Profile, *, bottom_m: float = 0.0, top_m: float = TOP_M, step_m: float = STEP_M, title: str = ""
) -> Atmosphere:
    """Return a profile at even heights (m above sea level), beside the standard atmosphere."""
    heights: Array = bottom_m + step_m * np.arange(math.floor((top_m - bottom_m) / step_m) + 1, dtype=np.float64)
    air = profile.air_at(heights + profile.geoid_m)
    east, north = profile.wind_at(heights + profile.geoid_m)
    kelvin, pressure, density, sound = isa(heights)
    return Atmosphere(
        height_m=heights,
        virtual_temperature_k=air.virtual_temperature_k,
        pressure_pa=air.pressure_pa,
        density_kg_m3=air.density_kg_m3,
        sound_m_s=air.sound_m_s,
        wind_east_m_s=east,
        wind_north_m_s=north,
        wind_from_rad=np.arctan2(-east, -north) % (2.0 * math.pi),
        wind_speed_m_s=np.hypot(east, north),
        isa_temperature_k=kelvin,
        isa_pressure_pa=pressure,
        isa_density_kg_m3=density,
        isa_sound_m_s=sound,
        air_levels_m=np.array(profile.heights_m) - profile.geoid_m,
        wind_levels_m=np.array(profile.wind_heights_m) - profile.geoid_m,
        title=title,
    )


def figure(air: Atmosphere) -> Any:
    """Return a Matplotlib figure of four panels; `savefig("x.png")` or `savefig("x.svg")` writes it.

    Points are measured levels; a line without points is what the profile puts there by its rule.
    """
    try:
        from matplotlib.figure import Figure  # not pyplot: no window, no global state
    except ImportError as error:
        raise UsageError("plots need Matplotlib: pip install 'opencram[plots]'") from error
    drawn = Figure(figsize=(11.0, 6.0), layout="constrained")
    axes = drawn.subplots(1, 4, sharey=True)
    kilometres = air.height_m / 1000.0
    _panel(axes[0], "density, % of ISA", kilometres, 100.0 * air.density_share, np.full_like(kilometres, 100.0))
    celsius, standard = air.virtual_temperature_k - KELVIN, air.isa_temperature_k - KELVIN
    _panel(axes[1], "virtual temperature, °C", kilometres, celsius, standard)
    _panel(axes[2], "speed of sound, m/s", kilometres, air.sound_m_s, air.isa_sound_m_s)
    _levels(axes[0], air.height_m, 100.0 * air.density_share, air.air_levels_m)
    _levels(axes[1], air.height_m, celsius, air.air_levels_m)
    _wind(axes[3], air)
    axes[0].set_ylabel("height above sea level, km")
    axes[0].set_ylim(kilometres[0], kilometres[-1])
    if air.title:
        drawn.suptitle(air.title, color=_INK, fontsize=11)
    return drawn


def _panel(axes: Any, label: str, kilometres: Array, values: Array, standard: Array) -> None:
    axes.plot(standard, kilometres, color=_GREY, linewidth=1.0, linestyle="--", label="ISA")
    axes.plot(values, kilometres, color=_BLUE, linewidth=1.6, label="site")
    _dress(axes, label)


def _wind(axes: Any, air: Atmosphere) -> None:
    """Draw both components, and an arrow to where the air moves every tenth of the height."""
    kilometres = air.height_m / 1000.0
    axes.plot(air.wind_east_m_s, kilometres, color=_BLUE, linewidth=1.6, label="to the east")
    axes.plot(air.wind_north_m_s, kilometres, color=_RED, linewidth=1.6, label="to the north")
    _levels(axes, air.height_m, air.wind_east_m_s, air.wind_levels_m)
    _levels(axes, air.height_m, air.wind_north_m_s, air.wind_levels_m, color=_RED)
    every = max(len(kilometres) // 10, 1)
    at = kilometres[::every]
    speed = np.maximum(air.wind_speed_m_s[::every], 1e-9)
    place = axes.get_yaxis_transform()  # across in shares of the panel, up in kilometres
    axes.quiver(
        np.full_like(at, 0.92), at, air.wind_east_m_s[::every] / speed, air.wind_north_m_s[::every] / speed,
        transform=place, angles="uv", pivot="mid", scale=14.0, width=0.008, color=_INK,
    )  # fmt: skip
    axes.axvline(0.0, color=_GREY, linewidth=0.8)
    axes.margins(x=0.2)
    _dress(axes, "wind, m/s; arrow: to where")


def _levels(axes: Any, heights_m: Array, values: Array, levels_m: Array, *, color: str = _BLUE) -> None:
    inside = levels_m[(levels_m >= heights_m[0]) & (levels_m <= heights_m[-1])]
    if len(inside):
        axes.plot(np.interp(inside, heights_m, values), inside / 1000.0, "o", color=color, markersize=2.6)


def _dress(axes: Any, label: str) -> None:
    axes.set_xlabel(label, color=_INK, fontsize=9)
    axes.grid(visible=True, color=_GREY, alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=True, framealpha=0.9, edgecolor="none", fontsize=8, loc="upper center")

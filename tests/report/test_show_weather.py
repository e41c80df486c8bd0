"""The atmosphere as arrays and as a picture."""

import sys
from pathlib import Path

import numpy as np
import pytest

from opencram.config.site import load_site
from opencram.earth.atmosphere import isa
from opencram.earth.profile import Profile
from opencram.errors import ConfigError
from opencram.report.show_weather import atmosphere, figure, load_profile, site_atmosphere

sys.path.append(str(Path(__file__).parent.parent / "earth"))
import met_messages as made

SITE = Path(__file__).parent.parent.parent / "examples" / "seven-rockets" / "site.toml"


@pytest.fixture(scope="module")
def air(tmp_path_factory):
    path = tmp_path_factory.mktemp("met") / "met.txt"
    path.write_text(made.metcm())
    return atmosphere(load_profile(path, latitude_deg=33.3), title="METCM")


def test_arrays_are_the_profile_beside_the_standard_atmosphere(air):
    assert air.height_m[0] == 0.0
    assert air.height_m[-1] == 20_000.0
    assert air.isa_density_kg_m3 == pytest.approx(isa(air.height_m)[2])
    assert air.virtual_temperature_k[100] - air.isa_temperature_k[100] == pytest.approx(made.WARMER_K, abs=0.2)
    assert air.density_share[0] == pytest.approx(0.965, abs=0.01)
    assert len(air.air_levels_m) == 27
    assert np.hypot(air.wind_east_m_s, air.wind_north_m_s) == pytest.approx(air.wind_speed_m_s)
    assert (air.wind_from_rad >= 0.0).all()


def test_a_site_without_a_weather_file_has_the_standard_air_and_its_wind():
    air = site_atmosphere(load_site(SITE))
    assert air.density_share == pytest.approx(np.ones_like(air.height_m))
    assert (air.wind_east_m_s == 2.0).all()
    assert (air.wind_north_m_s == -1.0).all()


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_it_is_drawn_and_written(air, tmp_path, suffix):
    pytest.importorskip("matplotlib", reason="the extra `plots` is not installed")
    path = tmp_path / f"weather.{suffix}"
    figure(air).savefig(path)
    assert path.stat().st_size > 10_000


def test_even_an_empty_profile_is_drawn():
    pytest.importorskip("matplotlib", reason="the extra `plots` is not installed")
    assert len(figure(atmosphere(Profile(latitude_rad=0.5))).axes) == 4


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_profile(tmp_path / "absent.txt")

"""A site, a scenario and studies that a test can afford: one slow radar, one mortar, three zones."""

from pathlib import Path

SITE = """
[site]
name = "small"
latitude_deg = 33.3
longitude_deg = 44.4
height_m = 35.0

[[sensor]]
id = "near"
latitude_deg = 33.305
longitude_deg = 44.402
height_m = 40.0
range_std_m = 10.0
azimuth_std_mrad = 1.5
elevation_std_mrad = 1.5
range_max_m = 20000.0
detection_probability = 0.95
clutter_per_scan = 0.2
period_s = 0.4

[[sensor]]
id = "far"
latitude_deg = 33.28
longitude_deg = 44.41
height_m = 40.0
range_std_m = 15.0
azimuth_std_mrad = 2.0
elevation_std_mrad = 2.0
range_max_m = 20000.0
detection_probability = 0.95
clutter_per_scan = 0.2
period_s = 1.0

[[asset]]
id = "compound"
polygon = [[44.3976, 33.2984], [44.4024, 33.2984], [44.4024, 33.3016], [44.3976, 33.3016]]

[[zone]]
id = "compound"
name = "Compound"
population = 100
shelter_time_s = 8.0
polygon = [[44.3976, 33.2984], [44.4024, 33.2984], [44.4024, 33.3016], [44.3976, 33.3016]]

[[zone]]
id = "east"
name = "East"
population = 800
shelter_time_s = 12.0
polygon = [[44.4024, 33.2984], [44.4104, 33.2984], [44.4104, 33.3046], [44.4024, 33.3046]]

[[zone]]
id = "west"
name = "West"
population = 500
shelter_time_s = 12.0
polygon = [[44.3896, 33.2954], [44.3976, 33.2954], [44.3976, 33.3016], [44.3896, 33.3016]]

[[effector]]
id = "gun"
kind = "gun"
latitude_deg = 33.3
longitude_deg = 44.4
height_m = 45.0
range_min_m = 300.0
range_max_m = 2000.0
magazine_rounds = 1500
"""

SCENARIO = """
[scenario]
name = "one mortar"
site = "site.toml"
duration_s = 60.0

[[launch]]
name = "first"
time_s = 2.0
class = "mortar"
east_m = 2500.0
north_m = 600.0
aim_east_m = 30.0
aim_north_m = 10.0
elevation_deg = 60.0
"""

STUDY = """
[study]
name = "small study"
scenario = "scenario.toml"
seed = 5
runs = 4
block = 2

[[salvo]]
name = "east"
count = { integers = [1, 2] }
time_s = { uniform = [1.0, 3.0] }
interval_s = 1.5
class = "mortar"
from = [{ name = "wood", east_m = 2500.0, north_m = 600.0, radius_m = 150.0 }]
aim = [
    { name = "compound", east_m = 0.0, north_m = 0.0, std_m = 60.0 },
    { name = "houses", east_m = 500.0, north_m = 150.0, std_m = 120.0 },
]
elevation_deg = { uniform = [55.0, 65.0] }

[[draw]]
name = "wind"
set = "scenario.weather.wind_east_m_s"
value = { normal = [0.0, 3.0] }

[[factor]]
name = "policy"
levels = [{ name = "site" }, { name = "people", set = { "site.policy.protect" = "people" } }]
"""


def write_study(folder: Path, study: str = STUDY, scenario: str = SCENARIO, site: str = SITE) -> Path:
    """Write the three files; return the path of the study file."""
    (folder / "site.toml").write_text(site)
    (folder / "scenario.toml").write_text(scenario)
    path = folder / "study.toml"
    path.write_text(study)
    return path

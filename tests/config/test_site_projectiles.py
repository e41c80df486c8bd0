"""Drag curves and flight models of a site's own: read, checked, kept in the recording, flown and tracked."""

import math
from pathlib import Path

import numpy as np
import pytest

from opencram.ballistics.classes import CLASS_BANK, PROJECTILE_PRIOR
from opencram.ballistics.curves import OwnCurve
from opencram.ballistics.drag import curve_of, curve_table, standard_curve
from opencram.config.scenario import load_scenario
from opencram.config.site import load_site, parse_site
from opencram.errors import ConfigError
from opencram.messages import Impact, Track
from opencram.runtime.configure import configure
from opencram.runtime.simulate import Raid
from opencram.runtime.survey import as_json, lines

RAID = Path(__file__).resolve().parents[2] / "examples" / "seven-rockets"
# Twice the drag of G7 below the speed of sound, and no fall above it: a blunt body.
BLUNT = "# a blunt body\nmach,cd\n0,0.24\n0.7,0.24\n0.9,0.36\n1.0,0.7\n1.2,0.8\n2.0,0.78\n4.0,0.7\n"
OWN = """
[drag_curves]
blunt = "blunt.csv"
[[projectile]]
class = "rocket"
drag_curve = "blunt"
ballistic_coefficient_kg_m2 = 3200
ballistic_coefficient_spread = 0.1
probability = 0.3
"""


def site_at(folder: Path, more: str = OWN, curve: str = BLUNT):
    (folder / "blunt.csv").write_text(curve)
    (folder / "site.toml").write_text((RAID / "site.toml").read_text() + more)
    return load_site(folder / "site.toml")


def faults_of(folder: Path, more: str, curve: str = BLUNT) -> str:
    with pytest.raises(ConfigError) as error:
        site_at(folder, more, curve)
    return str(error.value)


def test_a_curve_is_read_and_stands_in_the_text_of_the_site(tmp_path):
    site = site_at(tmp_path)
    (curve,) = site.drag_curves
    assert (curve.name, curve.mach[3], curve.cd[3]) == ("blunt", 1.0, 0.7)
    again = parse_site(site.text, tmp_path / "elsewhere" / "site.toml")
    assert again.drag_curves == site.drag_curves
    assert again.projectiles == site.projectiles
    assert again.text == site.text
    assert any("Drag curve blunt: 7 points, Mach 0 to 4" in line for line in lines(site))
    assert as_json(site)["drag_curves"] == ["blunt"]


def test_the_bank_makes_room_for_a_model_of_ones_own(tmp_path):
    config = configure(site_at(tmp_path)).tracking
    assert len(config.models) == len(CLASS_BANK) + 1
    assert sum(model.prior for model in config.models) == pytest.approx(PROJECTILE_PRIOR)
    assert config.models[-1].prior == 0.3
    assert config.models[-1].spin_m_s == CLASS_BANK[0].spin_m_s
    assert configure(load_site(RAID / "site.toml")).tracking.models == CLASS_BANK


def test_curves_have_their_rows_by_name():
    own = (OwnCurve(name="mine", mach=(0.0, 1.0, 2.0), cd=(0.2, 0.4, 0.3)),)
    table, rows = curve_table(own)
    assert np.array_equal(table[rows["G7"]], standard_curve("G7"))
    assert table[rows["mine"]][400] == pytest.approx(0.4)  # Mach 1
    assert np.array_equal(curve_of("mine", own), table[rows["mine"]])
    assert not table.flags.writeable


@pytest.mark.parametrize(
    ("more", "curve", "told"),
    [
        (OWN, "mach,cd\n0,0.2\n1,0.4\n0.9,0.5\n", "blunt.csv: line 4: mach"),
        (OWN, "# one\n# two\nmach,cd\n0,0.2\n1,-0.4\n2,0.3\n3,0.3\n", "blunt.csv: line 5: cd"),
        (OWN, "mach,cd\n0,0.2\n2.5,0.4\n3,0.5\n", "leaves a gap of 2.5"),
        (OWN.replace('"blunt.csv"', '"absent.csv"'), BLUNT, "absent.csv: file"),
        (OWN.replace("blunt =", "G7 ="), BLUNT, "is the name of a standard curve"),
        (OWN.replace('drag_curve = "blunt"', 'drag_curve = "blunted"'), BLUNT, 'write "blunt"?'),
        (OWN.replace("probability = 0.3", "probability = 0.95"), BLUNT, "must be > 0 and <= 0.8"),
        (OWN + OWN[OWN.index("[[") :].replace("0.3", "0.7"), BLUNT, "together must be <= 0.8"),
        (OWN.replace("3200", "3.2"), BLUNT, "must be >= 100"),
        ('[[projectile]]\nclass = "bird"\nballistic_coefficient_kg_m2 = 900\nprobability = 0.1\n', BLUNT, "class"),
        ('[drag_points]\n"x" = [[0.0, 0.2]]\n', BLUNT, "stands without [drag_curves]"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, more, curve, told):
    assert told in faults_of(tmp_path, more, curve)


def test_points_that_were_changed_by_hand_are_refused(tmp_path):
    text = site_at(tmp_path).text.replace("[0.9, 0.36]", "[0.5, 0.36]")
    with pytest.raises(ConfigError, match="was changed after it was written"):
        parse_site(text, tmp_path / "site.toml")


SCENARIO = """
[scenario]
site = "site.toml"
duration_s = 60.0
seed = 5
[[radar]]
sensor = "north"
clutter_per_scan = 0
[[launch]]
time_s = 0.0
class = "rocket"
east_m = 5200
north_m = 1200
aim_east_m = 100
aim_north_m = -50
elevation_deg = 40
ballistic_coefficient_kg_m2 = 3200
"""


def prediction(folder: Path, curve: str) -> tuple[float, str]:
    """Return how far off (m) the impact was predicted 8 s after it first was, and the likeliest curve by then."""
    (folder / "scenario.toml").write_text(SCENARIO + curve)
    raid = Raid(load_scenario(folder / "scenario.toml"))
    made = [message for _, outputs in raid.batches() for message in outputs]
    impacts = [message for message in made if isinstance(message, Impact)]
    late = next(each for each in impacts if each.t_ns >= impacts[0].t_ns + 8_000_000_000)
    told = next(m for m in reversed(made) if isinstance(m, Track) and m.t_ns <= late.t_ns and m.hypotheses)
    falls = raid.truth()["rounds"][0]["unengaged_impact_enu_m"]
    return math.dist(late.position_enu_m[:2], falls[:2]), max(told.hypotheses, key=lambda h: h.probability).curve


def test_a_round_flies_on_the_curve_that_its_launch_names(tmp_path):
    site_at(tmp_path)
    scenario = SCENARIO.replace("aim_east_m = 100\naim_north_m = -50\n", "speed_m_s = 300\nazimuth_deg = 260\n")
    fell = {}
    for curve in ("", 'drag_curve = "G7"\n', 'drag_curve = "G1"\n', 'drag_curve = "blunt"\n'):
        (tmp_path / "scenario.toml").write_text(scenario + curve)
        raid = Raid(load_scenario(tmp_path / "scenario.toml"))
        for _ in raid.batches():
            pass
        (what,) = raid.truth()["rounds"]
        fell[curve] = (what["impact_enu_m"][0], what["curve"])
    assert fell[""] == fell['drag_curve = "G7"\n']
    assert fell['drag_curve = "G1"\n'][0] > fell[""][0] + 20.0  # flying west: more drag falls short, to the east
    assert fell['drag_curve = "blunt"\n'][0] > fell[""][0] + 20.0
    assert fell['drag_curve = "blunt"\n'][1] == "blunt"


def test_a_scenario_may_bring_a_curve_that_the_site_does_not_know(tmp_path):
    site_at(tmp_path, "")
    brought = 'drag_curve = "secret"\n[drag_curves]\nsecret = "blunt.csv"\n'
    (tmp_path / "scenario.toml").write_text(SCENARIO + brought)
    scenario = load_scenario(tmp_path / "scenario.toml")
    assert scenario.launches[0].own_curve.name == "secret"
    assert scenario.site.drag_curves == ()
    (tmp_path / "scenario.toml").write_text(SCENARIO + 'drag_curve = "secret"\n')
    with pytest.raises(ConfigError, match="drag_curve"):
        load_scenario(tmp_path / "scenario.toml")


def test_a_site_that_knows_the_curve_tracks_on_it(tmp_path):
    site_at(tmp_path)
    error_m, curve = prediction(tmp_path, 'drag_curve = "blunt"\n')
    assert curve == "blunt"
    assert error_m < 150.0

"""`opencram bound` as a person types it."""

import json
import math
from pathlib import Path

import pytest

from opencram.cli import main
from opencram.evaluation import cases

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SITE, SCENARIO = str(EXAMPLES / "seven-rockets" / "site.toml"), str(EXAMPLES / "seven-rockets" / "scenario.toml")


@pytest.fixture
def run(capsys):
    """Return exit code, standard output and standard error of `opencram bound …`."""

    def command(*arguments):
        try:
            code = main(["bound", *map(str, arguments)])
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def test_without_arguments_it_is_the_standard_case(run):
    code, out, _ = run()
    assert code == 0
    rows = [line.split() for line in out.splitlines()[2:]]
    assert [float(row[0]) for row in rows] == [3, 5, 8, 12, 20]
    assert [float(row[2]) for row in rows] == pytest.approx([600, 332, 118, 41, 9], rel=0.03)


def test_a_scenario_gives_every_round_as_table_json_and_figure(run, tmp_path):
    figure = tmp_path / "bound.png"
    code, out, _ = run(SCENARIO, "--json", "--out", figure, "--ages", "8,3,40")
    assert code == 0
    found = json.loads(out)
    assert [each["name"][:2] for each in found["bounds"]] == [f"{k}," for k in range(1, 8)]
    for each in found["bounds"]:
        assert [age["age_s"] for age in each["ages"]] == [3, 8, 40]
        early, later, never = each["ages"]
        assert early["drms_m"] > later["drms_m"] > 0.0
        assert early["drms_class_known_m"] < early["drms_m"]
        assert never["drms_m"] is None
        assert math.hypot(*later["ellipse95_m"]) == pytest.approx(2.4477 * later["drms_m"], rel=2e-3)
    assert figure.read_bytes()[:4] == b"\x89PNG"


def test_a_projectile_against_a_site(run):
    code, out, _ = run(SITE, "--projectile", "mortar-120mm", "--launch", "3000,900")
    assert code == 0
    assert out.startswith("mortar 120 mm (mortar): ")
    assert run(SITE, "--projectile", "mortar-120mm", "--launch", "3000,900", "--drift", "2,1,inf")[1] != out


def test_slow_errors_of_radars_are_in_the_case():
    plain = cases.worked(cases.standard_case(), (5.0,)).unknown.drms_m
    slow = cases.worked(cases.standard_case(drift=(0.0, 0.001, 2.0)), (5.0,)).unknown.drms_m
    assert slow[0] > 1.1 * plain[0]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--projectile", "mortar-60mm"), "needs a site"),
        ((SITE,), "--projectile and --launch"),
        ((SITE, "--projectile", "teapot", "--launch", "1,2"), "teapot"),
        ((SITE, "--projectile", "mortar-60mm", "--launch", "7000,0"), "m/s"),
        ((SITE, "--projectile", "mortar-60mm", "--launch", "900,0", "--elevation", "120"), "2 to 87"),
        ((SITE, "--launch", "up"), "metres east and north"),
        ((SCENARIO, "--launch", "1,2"), "a scenario says itself"),
        (("--ages", "-3"), "0 to 300"),
        (("--drift", "1,2"), "milliradians"),
        (("--out", "bound.docx"), ".png"),
        (("--wind-std", "-1"), "0 to 100"),
        (("nothing.toml", "--projectile", "mortar-60mm", "--launch", "900,0"), "nothing.toml"),
    ],
)
def test_what_is_wrong_is_said_with_a_remedy(run, arguments, word):
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert word in err

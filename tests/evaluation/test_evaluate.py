"""`opencram evaluate`: what is compared with what, held to flights whose truth is known."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.environment import environment
from opencram.ballistics.lanes import LANES
from opencram.ballistics.propagation import advance
from opencram.cli import main
from opencram.config.site import load_site
from opencram.earth.geodesy import Frame, ecef_from_enu, geodetic_from_enu
from opencram.evaluation.run import End, Sample, _round_of, place_of, positions_ahead, rows
from opencram.evaluation.run import Path as Seen
from opencram.messages import Hypothesis, Plot
from opencram.tracking.config import SensorModel

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SITE, PLOTS = str(EXAMPLES / "mortars" / "site.toml"), str(EXAMPLES / "mortars" / "plots.ndjson")
S = 1_000_000_000
SENSOR = SensorModel(
    id="mast", position_enu_m=(100.0, -50.0, 10.0), local_from_enu=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
    range_m_std=5.0, azimuth_rad_std=0.002, elevation_rad_std=0.001, range_m_max=20_000.0, detection_probability=0.9,
    clutter_per_scan=0.0, period_s=0.1,
)  # fmt: skip


@pytest.fixture
def run(capsys):
    def command(*arguments):
        try:
            code = main(["evaluate", *map(str, arguments)])
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def plot(t_s, place, number=1):
    e, n, u = np.asarray(place) - SENSOR.position_enu_m
    far = math.sqrt(e * e + n * n + u * u)
    return Plot(
        t_ns=round(t_s * S), plot_id=number, sensor="mast", range_m=far, azimuth_rad=math.atan2(e, n),
        elevation_rad=math.asin(u / far),
    )  # fmt: skip


def test_a_plot_is_where_it_says_with_the_spread_of_its_errors():
    place, covariance = place_of(plot(0.0, (2100.0, 950.0, 510.0)), SENSOR)
    assert place == pytest.approx([2100.0, 950.0, 510.0], abs=1e-6)
    draws = np.random.default_rng(2)
    e, n, u = np.array([2000.0, 1000.0, 500.0])
    far, azimuth, elevation = math.sqrt(e * e + n * n + u * u), math.atan2(e, n), math.atan2(u, math.hypot(e, n))
    r = far + draws.normal(0.0, 5.0, 50_000)
    a, b = azimuth + draws.normal(0.0, 0.002, 50_000), elevation + draws.normal(0.0, 0.001, 50_000)
    cloud = np.stack([r * np.cos(b) * np.sin(a), r * np.cos(b) * np.cos(a), r * np.sin(b)])
    assert covariance == pytest.approx(np.cov(cloud), rel=0.05, abs=0.4)


def test_the_path_of_the_plots_is_a_parabola_through_them_and_knows_its_error():
    def at(t):
        return np.array([3000.0 - 200.0 * t, 500.0 + 30.0 * t, 900.0 + 40.0 * t - 4.9 * t * t])

    times = np.arange(0.0, 4.0, 0.1)
    seen = Seen.of([plot(t, at(t), k) for k, t in enumerate(times)], {"mast": SENSOR})
    place, covariance = seen.at(2 * S)
    assert place == pytest.approx(at(2.0), abs=1e-3)
    alone = place_of(plot(2.0, at(2.0)), SENSOR)[1]
    assert 0.1 < np.trace(covariance) / np.trace(alone) < 0.35  # 11 plots, three unknowns: 0.21
    assert seen.at(9 * S) is None
    assert Seen.of([plot(t, at(t)) for t in (0.0, 1.0)], {"mast": SENSOR}).at(S // 2) is None
    assert Seen.of([plot(0.0, at(0.0))], {}).at(0) is None
    few = Seen.of([plot(t, at(t), k) for k, t in enumerate(np.arange(0.0, 8.0, 0.5))], {"mast": SENSOR})
    assert few.at(4 * S)[0] == pytest.approx(at(4.0), abs=1e-3)


def test_a_position_ahead_is_that_of_the_flight_with_the_spread_of_a_crowd():
    env, curve = environment(0.58, 0.0), standard_curve("G7")
    mean = np.array([3000.0, 1000.0, 900.0, -180.0, -60.0, 90.0, math.log(2000.0), 2.0, -1.0, 0.0])
    stds = np.array([8.0, 6.0, 9.0, 3.0, 2.0, 4.0, 0.1, 2.0, 2.0, 0.1])
    told = Hypothesis(
        class_name="rocket", curve="G7", probability=0.8, mean=tuple(mean.tolist()),
        covariance=tuple(np.diag(stds**2)[np.tril_indices(10)].tolist()),
    )  # fmt: skip
    [(soon, _), (later, spread)] = positions_ahead([told], [3.0, 7.0], env)
    crowd = np.random.default_rng(5).normal(mean, stds, (1008, 10))
    ends = []
    for first in range(0, len(crowd), LANES):
        lanes = np.ascontiguousarray(crowd[first : first + LANES].T)
        advance(lanes, 0.25, 28, env, curve)
        ends.append(lanes[:3].T.copy())
    cloud = np.concatenate(ends)
    assert later == pytest.approx(cloud.mean(axis=0), abs=3.0)
    assert np.sqrt(np.diag(spread)) == pytest.approx(cloud.std(axis=0), rel=0.08)
    assert np.linalg.norm(soon - mean[:3]) < np.linalg.norm(later - mean[:3])


def test_rounds_are_told_apart_by_place_and_time():
    ends = [End(east_m=0.0, north_m=0.0, t_ns=10 * S), End(east_m=300.0, north_m=0.0, t_ns=10 * S)]
    assert _round_of(ends, 290.0, 5.0, 11 * S) is ends[1]
    assert _round_of(ends, 0.0, 0.0, 40 * S) is None
    assert _round_of(ends, 9000.0, 0.0, 10 * S) is None


def test_the_table_counts_samples_and_lets_the_interval_count_tracks():
    def sample(track, error, distance_2, name="mortar"):
        return Sample(
            kind="ahead",
            track_id=track,
            class_name=name,
            horizon_s=5.0,
            error_m=error,
            distance_2=distance_2,
            dimensions=3,
        )

    found = [sample(1, 1.0, 1.0), sample(1, 3.0, 9.0), sample(2, 2.0, 7.8), sample(2, 4.0, 7.9)]
    [row] = rows(found)
    assert (row.samples, row.tracks, row.median_m, row.held.hits) == (4, 2, 2.5, 2)
    assert row.held.low < 0.1
    assert [r.class_name for r in rows([*found, sample(3, 9.0, 1.0, "shell")])] == ["mortar", "shell", "all"]
    assert rows([]) == []


def test_plots_of_ones_own_give_a_table_json_and_a_figure(run, tmp_path):
    figure = tmp_path / "evaluate.svg"
    code, out, _ = run(SITE, "--plots", PLOTS, "--json", "--out", figure)
    assert code == 0
    found = json.loads(out)
    assert found["projectiles"] == 3
    by_key = {(row["kind"], row["horizon_s"]): row for row in found["rows"] if row["class"] in ("mortar", "all")}
    assert by_key["impact", 3.0]["median_error_m"] < by_key["impact", 15.0]["median_error_m"]
    assert by_key["ahead", 5.0]["median_error_m"] < by_key["ahead", 20.0]["median_error_m"]
    assert by_key["ahead", 5.0]["tracks"] == 3
    assert figure.read_text().startswith("<?xml")


def test_a_csv_file_with_a_map_and_a_truth_file(run, tmp_path):
    lines = [json.loads(line) for line in Path(PLOTS).read_text().splitlines()]
    table = ["UTC;Az;El;Rng"]
    for each in lines:
        angles = ";".join(f"{math.radians(each[name]):.9f}" for name in ("azimuth_deg", "elevation_deg"))
        table.append(f"{each['time']};{angles};{each['range_m'] / 1000.0:.6f}")
    (tmp_path / "radar.csv").write_text("\n".join(table))
    (tmp_path / "map.toml").write_text(
        '[csv]\ndelimiter = ";"\nsensor = "mast"\n[time]\ncolumn = "UTC"\n[range_m]\ncolumn = "Rng"\nunit = "km"\n'
        '[azimuth_deg]\ncolumn = "Az"\nunit = "rad"\n[elevation_deg]\ncolumn = "El"\nunit = "rad"\n'
    )
    arguments = (SITE, "--plots", tmp_path / "radar.csv", "--columns", tmp_path / "map.toml", "--json")
    code, out, _ = run(*arguments)
    assert code == 0
    plain = json.loads(run(SITE, "--plots", PLOTS, "--json")[1])
    assert json.loads(out)["rows"][0]["samples"] == plain["rows"][0]["samples"]
    truth = {"rounds": [{"impact_enu_m": [1e5, 0, 0], "impact_time": lines[0]["time"]}]}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    far = json.loads(run(*arguments, "--truth", tmp_path / "truth.json")[1])
    assert {row["kind"] for row in far["rows"]} == {"ahead"}  # no round came down anywhere near


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((SITE,), "--plots FILE"),
        (("raid.opencram", "--plots", PLOTS), "a recording holds its plots"),
        (("raid.opencram",), "raid.opencram"),
        ((SITE, "--plots", "nowhere.csv"), "nowhere.csv"),
        ((SITE, "--plots", PLOTS, "--horizons", "0"), "over 0 to 120"),
        ((SITE, "--plots", PLOTS, "--out", "a.doc"), ".png"),
        ((SITE, "--plots", PLOTS, "--truth", SITE), "no truth file"),
    ],
)
def test_what_is_wrong_is_said_with_a_remedy(run, arguments, word):
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert word in err


def test_plots_that_could_not_be_used_are_counted_and_the_first_of_each_kind_named(run, tmp_path):
    lines = Path(PLOTS).read_text().splitlines()
    lines[3], lines[5] = '{"type": "plot"', lines[5].replace('"mast"', '"nobody"')
    (tmp_path / "plots.ndjson").write_text("\n".join(lines))
    code, out, _ = run(SITE, "--plots", tmp_path / "plots.ndjson", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["plots"], found["refused"]) == (len(lines) - 2, 2)
    assert {each["first"].split(":")[0] for each in found["refusals"]} == {"line 4", "line 6"}
    assert {each["count"] for each in found["refusals"]} == {1}


def test_a_file_without_a_usable_plot_is_told_with_the_first_reason_and_exit_code_3(run, tmp_path):
    (tmp_path / "map.toml").write_text('[csv]\nsensor = "mast"\ndate = "2026-01-01"\n[time]\nunit = "s_of_day"\n')
    (tmp_path / "plots.csv").write_text("time,range_m,azimuth_deg,elevation_deg\n10:00:00,1,2,3\n10:00:01,1,2,3\n")
    code, out, err = run(SITE, "--plots", tmp_path / "plots.csv", "--columns", tmp_path / "map.toml")
    assert (code, out) == (3, "")
    assert "line 2: time is '10:00:00': must be a number, or unit = \"hms\"" in err
    (tmp_path / "plots.csv").write_text("UTC;Az;El;Rng\n0;1;2;3\n1;1;2;3\n")
    code, _, err = run(SITE, "--plots", tmp_path / "plots.csv")
    assert code == 3
    assert "give a column map" in err
    (tmp_path / "plots.csv").write_text("")
    code, _, err = run(SITE, "--plots", tmp_path / "plots.csv")
    assert code == 3
    assert "it is empty" in err


def test_rows_in_any_order_are_told_and_read_when_sorted(run, tmp_path):
    lines = [json.loads(line) for line in Path(PLOTS).read_text().splitlines()]
    names = ("time", "sensor", "range_m", "azimuth_deg", "elevation_deg")
    rows = [",".join(str(each[name]) for name in names) for each in lines]
    (tmp_path / "plots.csv").write_text("\n".join([",".join(names), *rows[::-1]]))
    (tmp_path / "map.toml").write_text("[csv]\nsort = true\n")
    _, out, _ = run(SITE, "--plots", tmp_path / "plots.csv")
    assert "sort = true under [csv]" in out
    _, out, _ = run(SITE, "--plots", tmp_path / "plots.csv", "--columns", tmp_path / "map.toml")
    assert out == run(SITE, "--plots", PLOTS)[1]


def test_impacts_of_a_truth_file_may_be_level_geodetic_or_about_the_centre_of_the_earth(run, tmp_path):
    site = load_site(SITE)
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    truth = json.loads((Path(__file__).resolve().parents[1] / "data" / "mortars" / "truth.json").read_text())
    told = []
    for form in ("enu", "ecef", "geodetic"):
        rounds = []
        for each in truth["rounds"]:
            place = [*each["impact_enu_m"][:2], 0.0]
            if form == "ecef":
                where = {"impact_ecef_m": ecef_from_enu(frame, place).tolist()}
            elif form == "geodetic":
                latitude, longitude, _ = geodetic_from_enu(frame, place)
                where = {"impact_latitude_deg": math.degrees(latitude), "impact_longitude_deg": math.degrees(longitude)}
            else:
                where = {"impact_enu_m": place}
            rounds.append(where | {"impact_time": each["impact_time"], "class": "mortar"})
        path = tmp_path / f"{form}.json"
        path.write_text(json.dumps({"rounds": rounds}))
        code, out, _ = run(SITE, "--plots", PLOTS, "--truth", path)
        assert code == 0
        told.append(out)
    assert "Truth: 3 of 3 rounds" in told[0]
    assert told[1] == told[0] == told[2]
    shifted = [each | {"impact_time": "2026-01-01T09:00:00Z"} for each in rounds]
    path.write_text(json.dumps({"rounds": shifted}))
    _, out, _ = run(SITE, "--plots", PLOTS, "--truth", path)
    assert "Truth: 0 of 3 rounds" in out
    path.write_text(json.dumps({"rounds": [rounds[0] | {"impact_latitude_deg": 8.0}]}))
    code, _, err = run(SITE, "--plots", PLOTS, "--truth", path)
    assert code == 2
    assert "within 500 km" in err

"""What the commands do, as calls: typed results that show themselves and go to pandas, polars and xarray."""

from pathlib import Path

import numpy as np
import pytest

from opencram import api
from opencram.errors import FileError, NoPlotsError, UsageError
from opencram.recording import read

ROOT = Path(__file__).resolve().parents[2]
MORTARS = ROOT / "examples" / "mortars"


@pytest.fixture(scope="module")
def raid() -> api.Raid:
    return api.process(MORTARS / "site.toml", MORTARS / "plots.ndjson")


def test_a_raid_has_a_row_for_each_round(raid):
    assert set(raid.rounds["class"]) == {"mortar"}
    assert len(raid.rounds) == 3
    assert raid.rounds["first_time"].dtype == np.dtype("M8[ns]")
    assert (raid.rounds["impact_time"] > raid.rounds["first_time"]).all()
    assert len(raid.alarms) == len(raid.summary.alarms)


def test_every_kind_of_message_is_a_table(raid):
    kinds = ("plots", "tracks", "impacts", "warnings", "decisions", "engagements", "rejected", "health")
    tables = {name: getattr(raid, name) for name in kinds}
    counted: dict[str, int] = {}
    for message in read(raid.path):
        counted[type(message).__name__] = counted.get(type(message).__name__, 0) + 1
    for name, table in tables.items():
        singular = name.removesuffix("s").capitalize()
        assert len(table) == counted.get(singular, 0), name
        assert len(table.to_pandas()) == len(table.to_polars()) == table.to_xarray().sizes["row"] == len(table)


def test_a_table_says_its_columns_where_one_is_not_there(raid):
    with pytest.raises(UsageError, match="no column is called 'height'; there are: time, plot, sensor"):
        raid.plots["height"]


def test_a_raid_goes_to_the_three_libraries(raid):
    assert list(raid.to_pandas()["track"]) == raid.to_polars()["track"].to_list()
    assert set(raid.to_xarray()["track"].values) == set(raid.rounds["track"])


def test_a_raid_shows_itself(raid):
    html = raid._repr_html_()
    assert "Three projectiles tracked" in html or "3 projectiles tracked" in html
    assert html.count("<tr>") == 1 + len(raid.rounds)


def test_a_raid_is_loaded_and_reported(raid, tmp_path):
    again = api.load(raid.path)
    assert again.summary.tracks == raid.summary.tracks
    assert "<html" in again.report(tmp_path / "raid.html", language="fr").read_text(encoding="utf-8")


def test_what_cannot_be_read_is_told(tmp_path):
    empty = tmp_path / "empty.ndjson"
    empty.write_text("")
    with pytest.raises(NoPlotsError, match="no readable plot"):
        api.process(MORTARS / "site.toml", empty)
    with pytest.raises(FileError):
        api.raids(tmp_path / "none.db")


def test_the_recording_of_a_call_is_kept_where_it_is_wanted(tmp_path):
    made = api.simulate(ROOT / "examples" / "seven-rockets" / "scenario.toml", tmp_path / "sim.opencram", seed=3)
    assert made.path == tmp_path / "sim.opencram"
    assert (tmp_path / "sim.truth.json").is_file()
    assert len(made.rounds) == 7


def test_a_bound_is_a_table_and_a_picture():
    made = api.bound(ages_s=(5.0, 12.0))
    assert list(made.table["age_s"]) == [5.0, 12.0]
    assert made.to_pandas()["drms_m"].is_monotonic_decreasing
    assert "<svg" in made._repr_html_()


def test_a_bound_at_a_site_needs_a_projectile():
    with pytest.raises(UsageError, match="give projectile="):
        api.bound(MORTARS / "site.toml")


def test_an_evaluation_is_a_table(raid):
    made = api.evaluate(raid.path, horizons_s=(5.0, 10.0))
    ahead = made.table["kind"] == "ahead"
    assert set(made.table["horizon_s"][ahead]) == {5.0, 10.0}
    assert ((made.table["held_low"] <= made.table["held"]) & (made.table["held"] <= made.table["held_high"])).all()
    assert "tracks" in made._repr_html_()


def test_a_plan_is_a_map():
    made = api.plan(ROOT / "examples" / "siting" / "plan.toml", step_m=3000.0)
    shape = made.plan.now.cells.shape
    assert made.to_xarray()["seconds"].shape == (1, *shape)
    assert len(made.table) == shape[0] * shape[1]
    assert "<svg" in made._repr_html_()


def test_the_register_is_a_table(raid, tmp_path):
    from opencram.register.store import Filter, opened
    from opencram.register.summing import raid_of

    with opened(tmp_path / "raids.db", create=True) as register:
        register.add(raid_of(raid.path))
    made = api.raids(tmp_path / "raids.db")
    assert len(made) == 1
    assert len(made.table) == len(raid.rounds)
    assert len(api.raids(tmp_path / "raids.db", Filter(class_name="rocket"))) == 0
    assert made.export(tmp_path / "raids.geojson").is_file()
    assert "<svg" in made._repr_html_()

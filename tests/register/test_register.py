"""The register: a raid is kept once, reports stand side by side, and everything comes out again in three languages."""

import csv
import io
import json
import sqlite3
from dataclasses import replace

import pytest

from opencram.register.model import Fall, Raid, Report, WarnedZone, contradictions
from opencram.register.output import as_csv, as_geojson, export, picture
from opencram.register.store import Filter, opened
from opencram.register.telling import by_month, chart, listed, shown
from opencram.register.words import CATALOGUES

DAY_NS = 86_400_000_000_000
START_NS = 1_767_225_600_000_000_000  # 2026-01-01


def raid(number, *, days=0, class_name="rocket", district="Old Town", source="live"):
    fall = Fall(
        track=1,
        class_name=class_name,
        t_ns=START_NS + days * DAY_NS + 40_000_000_000,
        latitude_deg=33.3,
        longitude_deg=44.4,
        district=district,
        ended="impact",
        from_octant="east",
        from_m=7500.0,
        action="ignore",
        reason="ignored: far away",
        reasons=(("fr", "ignoré : loin"), ("ar", "تُجوهل: بعيد")),
    )
    zone = WarnedZone(zone="z1", name="Old Town", people=900, lead_s=21.5, in_time=True, needed=True)
    return Raid(
        raid=number,
        digest=f"digest {number}",
        site="Compound",
        source=source,
        start_t_ns=START_NS + days * DAY_NS,
        recording="a.opencram",
        falls=(fall, fall),
        zones=(zone,),
    )


@pytest.fixture
def register(tmp_path):
    with opened(tmp_path / "raids.sqlite", create=True) as made:
        made.add(raid(1))
        made.add(raid(2, days=40, class_name="mortar", district="Harbour"))
        made.add(raid(3, days=100, source="simulation"))
        yield made


def say(number, source, **said):
    return Report(report=0, raid=number, source=source, time="2026-01-01 evening", text="", **said)


def test_a_raid_is_kept_once(register):
    assert register.add(raid(2, days=40, class_name="mortar", district="Harbour")) == (2, False)
    assert [each.raid for each in register.raids()] == [1, 2, 3]


def test_raids_are_filtered(register):
    def found(**which):
        return [each.raid for each in register.raids(Filter(**which))]

    assert found(class_name="mortar") == found(district="harb") == [2]
    assert found(from_t_ns=START_NS + 10 * DAY_NS, to_t_ns=START_NS + 50 * DAY_NS) == [2]
    assert found(source="simulation") == [3]


def test_reports_that_contradict_each_other_stand_side_by_side(register, tmp_path):
    register.report(say(1, "hospital", killed=1, injured=5))
    register.report(say(1, "radio", killed=0, rounds=4))
    reports = register.reports(1)
    assert [(each.source, each.killed) for each in reports] == [("hospital", 1), ("radio", 0)]
    assert contradictions(reports) == {"killed": [("hospital", 1), ("radio", 0)]}
    text = "\n".join(shown(register.raid(1), reports, "en"))
    assert "Sources differ on «killed»: hospital: 1; radio: 0" in text
    base = sqlite3.connect(tmp_path / "raids.sqlite")
    for change in ("UPDATE report SET said = x''", "DELETE FROM report"):
        with pytest.raises(sqlite3.IntegrityError, match="stands as it was given"):
            base.execute(change)
    base.close()


def test_months_without_a_raid_are_shown(register):
    assert by_month(register.raids()) == [
        ("2026-01", 1, 2),
        ("2026-02", 1, 2),
        ("2026-03", 0, 0),
        ("2026-04", 1, 2),
    ]
    assert "2026-03   0" in "\n".join(chart(register.raids(), "en"))
    assert by_month([]) == []


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_every_language_has_every_word(register, language):
    assert CATALOGUES[language].keys() == CATALOGUES["en"].keys()
    text = "\n".join([*listed(register.raids(), [0, 0, 0], language), *shown(register.raid(1), (), language)])
    assert dict(raid(1).falls[0].reasons).get(language, "ignored: far away") in text


def test_exports_hold_every_round(register, tmp_path):
    what = [(each, register.reports(each.raid)) for each in register.raids()]
    rows = list(csv.DictReader(io.StringIO(as_csv(what))))
    assert [row["raid"] for row in rows] == ["1", "1", "2", "2", "3", "3"]
    features = as_geojson(what)["features"]
    assert features[0]["geometry"]["coordinates"] == [44.4, 33.3]
    assert features[2]["properties"]["district"] == "Harbour"
    import pyarrow.parquet as pq

    assert pq.read_table(export(what, tmp_path / "raids.parquet")).num_rows == 6
    assert json.loads(export(what, tmp_path / "raids.geojson").read_text())["features"] == features
    assert export([], tmp_path / "none.csv").read_text(encoding="utf-8-sig") == ""


def test_a_spreadsheet_runs_nothing(register):
    [one] = register.raids(Filter(class_name="mortar"))
    hostile = replace(one, site="=HYPERLINK(1)")
    assert "'=" in as_csv([(hostile, ())])


def test_pictures_can_be_drawn(register):
    assert picture(register.raids(), "chart", "fr").axes[0].get_title() == "Attaques par mois"
    [axes] = picture(register.raids(), "map", "en").axes
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"rocket, fell (4)", "mortar, fell (2)"}


def test_the_command_from_a_recording_to_an_export(opencram, tmp_path, processed):
    base = tmp_path / "raids.sqlite"
    recording = processed("mortars").recording_path
    assert "raid 1" in opencram("raids", "add", recording, "--db", base).stdout
    assert "known already" in opencram("raids", "add", recording, "--db", base).stdout
    opencram("raids", "report", 1, "--db", base, "--source", "warden", "--injured", 2, "--text", "two hurt")
    told = json.loads(opencram("raids", "show", 1, "--db", base, "--json").stdout)
    assert told["reports"][0]["injured"] == 2
    assert {fall["class_name"] for fall in told["falls"]} == {"mortar"}
    assert all(fall["from_m"] % 2500.0 == 0.0 for fall in told["falls"])  # coarse
    assert "there is no raid 9" in opencram("raids", "show", 9, "--db", base, code=2).stderr
    assert "no register here" in opencram("raids", "list", "--db", tmp_path / "no", code=2).stderr
    assert "--source is required" in opencram("raids", "report", 1, "--db", base, "--text", "x", code=2).stderr

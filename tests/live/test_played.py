"""A recording replayed as if live: what `process` makes of it, at any speed, and always as an exercise."""

import io
from pathlib import Path

import pytest

from opencram.config.site import load_site
from opencram.errors import NoPlotsError, UsageError
from opencram.messages import Decision, Impact, Plot, Warning
from opencram.recording import Writer, read_inputs, read_outputs
from opencram.runtime.configure import configure
from opencram.runtime.header import header
from opencram.runtime.pipeline import run
from opencram.runtime.played import Played
from opencram.runtime.replay import replay
from opencram.runtime.source import Source, read_plots
from opencram.runtime.start import live_from

RAID = Path(__file__).resolve().parents[2] / "examples" / "mortars"
LIVE = """
[[outlet]]
name = "files"
kind = "cap-directory"
folder = "cap"
[cap]
status = "Actual"
[live]
http = false
"""


def plots() -> list[Plot]:
    site = load_site(RAID / "site.toml")
    with (RAID / "plots.ndjson").open("rb") as file:
        return [m for m in read_plots(site, Source("plots.ndjson", file)) if isinstance(m, Plot)]


def told(outputs: list) -> tuple[list, list, int]:
    warnings = [(m.zone, m.state, m.advice) for m in outputs if isinstance(m, Warning) and m.state == "issued"]
    decisions = [(m.track_id, m.action) for m in outputs if isinstance(m, Decision)]
    return warnings, decisions, sum(isinstance(m, Impact) for m in outputs)


@pytest.mark.parametrize("form", ["plots", "recording"])
def test_a_raid_is_what_process_makes_of_it_and_an_exercise(form: str, tmp_path: Path) -> None:
    site_path = tmp_path / "site.toml"
    site_path.write_text((RAID / "site.toml").read_text() + LIVE)
    site = load_site(site_path)
    source = RAID / "plots.ndjson"
    if form == "recording":
        source = tmp_path / "raid.opencram"
        with Writer(source, header(site, plots()[0].t_ns, "process")) as writer:
            writer.append(plots(), direction="in")
    said: list[str] = []
    live_from(str(site_path), str(source), 400.0, said.append, io.StringIO())
    [log] = tmp_path.glob("log-replay-*/live-000001.opencram")
    assert not (tmp_path / "log").exists()  # that of the real service
    expected = [message for _, made in run(configure(site), plots()) for message in made]
    assert told(list(read_outputs(log))) == told(expected)
    logged = [m for m in read_inputs(log) if isinstance(m, Plot)]
    apart = {round((a.t_ns - b.t_ns) / 1e3) for a, b in zip(logged, plots(), strict=True)}
    assert len(apart) == 1  # all are moved by the same time
    assert replay(log).identical
    files = list((tmp_path / "cap").glob("*.xml"))
    assert files
    assert all(b"<status>Exercise</status>" in path.read_bytes() for path in files)
    assert said[-1] == "live: stopped; the log is sealed"
    assert not any("late" in line for line in said)


def test_what_cannot_be_replayed_is_said(tmp_path: Path) -> None:
    site = load_site(RAID / "site.toml")
    (tmp_path / "none.ndjson").write_text("")
    with pytest.raises(NoPlotsError, match="holds no plot"):
        Played(site, tmp_path / "none.ndjson", 1.0)
    with pytest.raises(UsageError, match="--speed 0"):
        Played(site, RAID / "plots.ndjson", 0.0)

"""A log of several files: each replays by itself, none is lost, old ones go; and what a changed site file keeps."""

import os
import sqlite3
from pathlib import Path

import pytest

from opencram.adapters.cap import CapBook, CapConfig
from opencram.adapters.words import load_language
from opencram.config.model import Site
from opencram.config.site import load_site, parse_site
from opencram.errors import OpenElsewhereError
from opencram.messages import Association, Health, Plot, Track, Warning
from opencram.recording import Writer, contents, read_datagrams, read_inputs, read_outputs
from opencram.runtime.core import Core
from opencram.runtime.fittings import zones_of
from opencram.runtime.header import header
from opencram.runtime.logbook import Retention, expire, files, finish, newest, unsealed
from opencram.runtime.replay import replay
from opencram.runtime.source import Source, read_plots

RAID = Path(__file__).resolve().parents[2] / "examples" / "seven-rockets"
SMALL = Retention(segment_bytes=600_000)
DELAY_NS = 20_000_000


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site(RAID / "site.toml")


@pytest.fixture(scope="module")
def plots(site: Site) -> list[Plot]:
    with (RAID / "plots.ndjson").open("rb") as file:
        return [m for m in read_plots(site, Source("plots.ndjson", file)) if isinstance(m, Plot)][:2000]


def new_core(site: Site, folder: Path, clock_ns: int, retention: Retention = SMALL) -> Core:
    config = CapConfig(sender="a@b.example", sender_name="A", languages=(load_language("en"),))
    return Core(site, folder, CapBook(config, zones_of(site)), ["siren"], clock_ns, retention)


def feed(core: Core, plots: list[Plot]) -> None:
    for plot in plots:
        core.received("radar", b"bytes of a plot", plot.t_ns + DELAY_NS)
        core.advance(plot.t_ns + DELAY_NS)
        core.take([plot], plot.t_ns + DELAY_NS)


@pytest.fixture(scope="module")
def split(site: Site, plots: list[Plot], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of several files, with a kill in the midst of it."""
    folder = tmp_path_factory.mktemp("split")
    core = new_core(site, folder, plots[0].t_ns)
    cut = between_dwells(plots, 1200)
    feed(core, plots[:cut])
    core.advance(plots[cut - 1].t_ns + 2 * DELAY_NS)
    core.writer.commit()
    for writer in [*core.finished, core.writer]:
        writer._let_folder_go()
        writer._connection.close()
    (folder / "live.state").write_bytes(b"torn")  # the files alone tell all
    core = new_core(site, folder, plots[cut - 1].t_ns + DELAY_NS)
    feed(core, plots[cut:])
    core.close(plots[-1].t_ns + DELAY_NS)
    for path in unsealed(folder):
        Writer(path, None).close()
    return folder


@pytest.fixture(scope="module")
def whole(site: Site, plots: list[Plot], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    core = new_core(site, folder, plots[0].t_ns, Retention())
    feed(core, plots)
    core.close(plots[-1].t_ns + DELAY_NS)
    return folder


def between_dwells(plots: list[Plot], number: int) -> int:
    """Return the number of the first plot of a dwell, `number` or soon after."""
    return next(k for k in range(number, len(plots)) if plots[k].t_ns != plots[k - 1].t_ns)


def told(folder: Path) -> list:
    """Return warnings and tracks, less what says where the batches were cut."""
    return [m for path in files(folder) for m in read_outputs(path) if isinstance(m, Warning | Track | Association)]


def test_files_together_hold_what_one_file_does(split: Path, whole: Path) -> None:
    assert len(files(split)) >= 3
    assert len(files(whole)) == 1
    assert told(split) == told(whole)
    plots = [m for path in files(split) for m in read_inputs(path) if isinstance(m, Plot)]
    assert plots == [m for m in read_inputs(files(whole)[0]) if isinstance(m, Plot)]


def test_each_file_replays_by_itself(split: Path) -> None:
    for path in files(split):
        result = replay(path)
        assert result.identical, (path, result.difference)
        assert result.sealed


def test_bytes_are_kept_as_they_came(split: Path) -> None:
    found = [d for path in files(split) for d in read_datagrams(path)]
    assert len(found) == 2000
    assert (found[0].feed, found[0].data) == ("radar", b"bytes of a plot")
    numbers = [d.before for d in read_datagrams(files(split)[0])]
    assert numbers == sorted(numbers)


def test_old_files_go_and_the_newest_never(site: Site, tmp_path: Path) -> None:
    for number in range(1, 6):
        path = tmp_path / f"live-{number:06d}.opencram"
        Writer(path, header(site, 0, "live")).close()
        os.utime(path, (1000.0 * number, 1000.0 * number))
    size = files(tmp_path)[0].stat().st_size
    assert expire(tmp_path, Retention(), 1e9) == []
    days = Retention(keep_days=2500.0 / 86_400.0)
    assert [line.split()[1] for line in expire(tmp_path, days, 5000.0)] == [f"live-00000{n}.opencram" for n in (1, 2)]
    assert len(expire(tmp_path, Retention(keep_bytes=2 * size), 5000.0)) == 1
    assert len(expire(tmp_path, Retention(keep_bytes=1), 5000.0)) == 1
    assert [p.name for p in files(tmp_path)] == ["live-000005.opencram"]


def test_a_sealed_file_becomes_a_table(split: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / files(split)[0].name
    path.write_bytes(files(split)[0].read_bytes())
    assert "parquet is written" in " ".join(finish(path, Retention(parquet=True), 0.0))
    table = parquet.read_table(path.with_suffix(".parquet"))
    assert table.num_rows == contents(path).records
    assert '"track_id":' in table.column("message")[table.column("kind").to_pylist().index("track")].as_py()


def test_a_file_whose_making_was_cut_off_is_passed_over(site: Site, tmp_path: Path) -> None:
    Writer(tmp_path / "live-000001.opencram", header(site, 0, "live")).close()
    (tmp_path / "live-000002.opencram").write_bytes(b"")
    assert newest(tmp_path) == tmp_path / "live-000001.opencram"
    assert not (tmp_path / "live-000002.opencram").exists()


def test_who_keeps_the_log_open_keeps_nobody_from_ending_or_starting_again(
    site: Site, plots: list[Plot], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencram.recording.writer.READERS_TRIES_MAX", 2)
    core = new_core(site, tmp_path, plots[0].t_ns, Retention())
    feed(core, plots[:300])
    core.writer.commit()
    reader = sqlite3.connect(f"{core.path.as_uri()}?mode=ro", uri=True)
    reader.execute("SELECT 1 FROM record").fetchone()
    with pytest.raises(OpenElsewhereError):
        core.close(plots[299].t_ns + DELAY_NS)
    core = new_core(site, tmp_path, plots[299].t_ns + DELAY_NS, Retention())
    assert core.last_plot_id == plots[299].plot_id
    reader.close()
    core.close(plots[299].t_ns + DELAY_NS)
    assert replay(core.path).identical
    assert not core.path.with_name(f"{core.path.name}-wal").exists()


def test_a_changed_site_file_goes_on_with_its_tracks_and_alarms(
    site: Site, plots: list[Plot], whole: Path, tmp_path: Path
) -> None:
    core = new_core(site, tmp_path, plots[0].t_ns, Retention())
    cut = between_dwells(plots, 1500)
    feed(core, plots[:cut])
    core.advance(plots[cut - 1].t_ns + 2 * DELAY_NS)
    tracks, alarms = core.state.open_tracks, core.open_alarms
    assert tracks
    assert alarms
    core.make_way(plots[cut - 1].t_ns + DELAY_NS)
    text = (RAID / "site.toml").read_text()
    changed = parse_site(text.replace("population = ", "population = 1", 1), RAID / "site.toml")
    core = new_core(changed, tmp_path, plots[cut - 1].t_ns + DELAY_NS, Retention())
    assert (core.state.open_tracks, core.open_alarms) == (tracks, alarms)
    feed(core, plots[cut:])
    core.close(plots[-1].t_ns + DELAY_NS)
    assert len(files(tmp_path)) == 2
    assert all(replay(path).identical for path in files(tmp_path))
    (said,) = [m for m in read_inputs(files(tmp_path)[1]) if isinstance(m, Health) and m.part == "site"]
    assert "all tracks and alarms go on" in said.reason
    one, two = ([m for m in told(folder) if isinstance(m, Track)] for folder in (whole, tmp_path))
    assert one == two


def test_radars_that_were_moved_begin_anew_and_that_is_said(site: Site, plots: list[Plot], tmp_path: Path) -> None:
    core = new_core(site, tmp_path, plots[0].t_ns, Retention())
    feed(core, plots[:1500])
    alarms = core.open_alarms
    core.make_way(plots[1499].t_ns)
    text = (RAID / "site.toml").read_text()
    at = text.index("height_m", text.index("[[sensor]]"))
    moved = parse_site(text[:at] + "height_m = 99.0\n#" + text[at:], RAID / "site.toml")
    core = new_core(moved, tmp_path, plots[1499].t_ns + DELAY_NS, Retention())
    assert not core.state.open_tracks
    assert core.open_alarms == alarms  # nobody is told that a danger is over because of a new site file
    core.close(plots[1499].t_ns + DELAY_NS)

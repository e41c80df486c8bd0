"""Whole studies: the same rows whoever runs them, stopped or killed or not."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pyarrow.parquet as pq
import pytest

from opencram.config.study import load_study
from opencram.errors import FileError, OpencramError
from opencram.studies import executing
from opencram.studies.api import identity, processes, run_study
from opencram.studies.executing import execute
from opencram.studies.intervals import wilson
from opencram.studies.preparing import prepare
from opencram.studies.results import load_result
from opencram.studies.rows import QUANTITIES, RunRow, decoded, encoded
from opencram.studies.running import run_together
from opencram.studies.store import Journal
from study_data import STUDY, write_study


def row(alternative, run, leakers=0.0, error=""):
    quantities = tuple(leakers if name == "leakers" else 1.0 for name in QUANTITIES)
    return RunRow(
        alternative=alternative,
        run=run,
        seed=run,
        weight=1.0,
        drawn={"wind": 1.0, "east.count": 1, "east.class": "mortar", "east.from": "wood"},
        quantities=() if error else quantities,
        error=error,
    )


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    """The small study, flown once with one thread."""
    folder = tmp_path_factory.mktemp("study")
    return run_study(write_study(folder), folder / "one.parquet")


def test_a_study_gives_figures_with_intervals(flown):
    assert [each.runs for each in flown.alternatives] == [4, 4]
    assert flown.failed == 0
    warned = flown.estimate("people_warned_10s", "policy site")
    assert 0.0 <= warned.low <= warned.value <= warned.high <= 1.0
    assert flown.estimate("coverage_10s").runs == 4
    [effect] = flown.effects("kills")
    assert (effect.base, effect.level) == ("site", "people")
    assert flown.difference("kills", 1).value == pytest.approx(effect.change.value)
    assert "<table>" in flown._repr_html_()


def test_the_file_says_what_made_it(flown, tmp_path):
    metadata = {k.decode(): v.decode() for k, v in pq.read_schema(flown.path).metadata.items() if k != b"ARROW:schema"}
    assert metadata["study_toml"] == STUDY
    assert metadata["seed"] == "5"
    assert metadata["opencram_version"].startswith("0.")
    assert load_result(flown.path).study_sha256 == load_study(write_study(tmp_path)).sha256


def test_rows_go_to_other_peoples_tables(flown):
    frame, polars = flown.to_pandas(), flown.to_polars()
    assert len(frame) == len(polars) == 8
    assert list(frame["run"][:4]) == list(range(4))
    dataset = flown.to_xarray()
    assert dataset["leakers"].shape == (2, 4)
    assert float(dataset["rounds"].sum()) == frame["rounds"].sum()


def test_the_same_raid_under_two_policies_differs_only_in_what_follows(flown):
    frame = flown.to_pandas()
    for name in ("seed", "rounds", "threatening", "draw.wind", "plots"):
        site, people = (frame[frame["factor.policy"] == level][name].tolist() for level in ("site", "people"))
        if name != "plots":  # a round that was shot down gives no more of them
            assert site == people, name


def test_workers_change_nothing(flown, tmp_path):
    threads = run_study(write_study(tmp_path), tmp_path / "two.parquet", workers=2)
    assert threads.path.read_bytes() == flown.path.read_bytes()


def test_a_run_can_be_written_down_and_flown_by_itself(flown, tmp_path, opencram):
    path = write_study(tmp_path)
    said = json.loads(opencram("study", path, "--raid", 2, "--alternative", 1, "--json").stdout)
    told = json.loads(opencram("simulate", said["scenario"], "--json").stdout)
    frame = flown.to_pandas()
    mine = frame[(frame["run"] == 2) & (frame["alternative"] == 1)].iloc[0]
    assert len([track for track in told["tracks"] if track["projectile"]]) >= mine["rounds"] - mine["untracked"]
    assert len(told["alarms"]) == mine["alarms"]


def test_a_result_of_something_else_is_refused(tmp_path):
    path = tmp_path / "no.parquet"
    path.write_text("no")
    with pytest.raises(FileError, match="cannot be read as a result"):
        load_result(path)


def test_a_round_that_cannot_reach_is_told_in_its_row(tmp_path):
    far = STUDY.replace("elevation_deg = { uniform = [55.0, 65.0] }", "speed_m_s = { choice = [30.0, 25.0] }")
    prepared = prepare(load_study(write_study(tmp_path, far)))
    assert "cannot reach its aim" in run_together(prepared, [0], 0)[0].error


# ---- executing, without flying --------------------------------------------------------------------


@pytest.fixture
def unflown(tmp_path, monkeypatch):
    """A prepared study whose runs cost nothing: run r leaks in every seventh raid."""
    flown_by: list[tuple[int, int]] = []

    def chunk(_parcel, cells):
        flown_by.extend(cells)
        return [encoded(row(alternative, run, float(run % 7 == 0))) for alternative, run in cells]

    monkeypatch.setattr(executing, "run_chunk", chunk)

    def make(runs=60, block=10, stop=""):
        text = STUDY.replace("runs = 4", f"runs = {runs}").replace("block = 2", f"block = {block}") + stop
        return prepare(load_study(write_study(tmp_path, text)))

    return make, flown_by


def test_what_is_in_the_journal_is_not_flown_again(unflown, tmp_path):
    make, flown_by = unflown
    journal = Journal(tmp_path / "journal", identity(make(runs=60)))
    journal.add([(0, run) for run in range(5)], [encoded(row(0, run)) for run in range(5)])
    journal.add([(1, 7)], [encoded(row(1, 7))])
    journal.close()
    prepared = make(runs=60)
    journal = Journal(tmp_path / "journal", identity(prepared))
    assert execute(prepared, journal) == [60, 60]
    assert len(flown_by) == 114
    assert journal.known(0) == journal.known(1) == list(range(60))


def test_a_journal_of_another_study_is_refused(unflown, tmp_path):
    make, _ = unflown
    Journal(tmp_path / "journal", identity(make())).close()
    with pytest.raises(FileError, match="of another study"):
        Journal(tmp_path / "journal", identity(make(runs=61)) + "another file")


@pytest.mark.parametrize("workers", [1, 4])
def test_stopping_does_not_depend_on_workers(unflown, tmp_path, workers):
    make, _ = unflown
    stop = '\n[stop]\nmeasure = "any_leaker"\nwidth = 0.1\nruns_min = 20\n'
    prepared = make(runs=500, block=10, stop=stop)
    counts = execute(prepared, Journal(tmp_path / f"journal{workers}", "x"), workers=workers)
    widths = {runs: wilson(len(range(0, runs, 7)), runs).half_width for runs in (20, 30, 40, 50, 60)}
    first = min(runs for runs, width in widths.items() if width <= 0.1)
    assert first > 20  # else this says nothing
    assert counts == [first, first]


def test_stopping_on_what_cannot_be_watched_is_refused(unflown, tmp_path):
    make, _ = unflown
    prepared = make(stop='\n[stop]\nmeasure = "lead_median"\nwidth = 1.0\n')
    with pytest.raises(OpencramError, match="must be one of"):
        execute(prepared, Journal(tmp_path / "journal", "x"))


class Mortal(Executor):
    """An executor whose worker dies at its third chunk."""

    def __init__(self):
        self._threads = ThreadPoolExecutor(1)
        self._left = 3

    def submit(self, function, /, *args, **kwargs):
        self._left -= 1
        if self._left == 0:
            lost: Future = Future()
            lost.set_exception(BrokenProcessPool("a worker died"))
            return lost
        if self._left < 0:
            raise BrokenProcessPool("the pool is broken")
        return self._threads.submit(function, *args, **kwargs)


def test_a_dead_worker_costs_only_its_runs(unflown, tmp_path):
    make, flown_by = unflown
    prepared = make()
    made = []

    def maker():
        made.append(Mortal())
        return made[-1]

    journal = Journal(tmp_path / "journal", "x")
    assert execute(prepared, journal, make_executor=maker) == [60, 60]
    assert len(made) > 5
    assert len(flown_by) == len(set(flown_by)) == 120  # every run once: nothing that was done is done again
    assert journal.known(1) == list(range(60))


def test_rows_survive_being_sent():
    assert decoded(encoded(row(1, 2, 3.0))) == row(1, 2, 3.0)


# ---- real workers, really killed --------------------------------------------------------------------

CALL = "import sys; from opencram.cli import main; sys.exit(main())"


def test_a_study_goes_on_after_kill_9(flown, tmp_path):
    path, out = write_study(tmp_path), tmp_path / "killed.parquet"
    command = [sys.executable, "-c", CALL, "study", str(path), "--out", str(out)]
    study = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    journal = out.with_name(out.name + ".journal-wal")
    deadline = time.monotonic() + 120.0
    while time.monotonic() < deadline and not (journal.exists() and journal.stat().st_size > 20_000):
        if study.poll() is not None:
            break
        time.sleep(0.02)
    os.killpg(study.pid, signal.SIGKILL)
    study.wait()
    study.stdout.close()
    study.stderr.close()
    kept = len(Journal(out.with_name(out.name + ".journal"), identity(prepare(load_study(path)))).known(0))
    told = []
    again = run_study(path, out, tell=lambda done, _all: told.append(done))
    assert kept == 0 or told[0] >= kept
    assert again.path.read_bytes() == flown.path.read_bytes()
    assert list(tmp_path.glob("*.journal*")) == []


def test_workers_leave_ctrl_c_to_the_one_who_hands_out_the_work():
    with processes(1) as executor:
        pid = executor.submit(os.getpid).result()
        os.kill(pid, signal.SIGINT)
        assert executor.submit(os.getpid).result() == pid

"""The live core: what `process` makes of the same plots; after a kill the same alarms, none twice, none forgotten."""

import random
from pathlib import Path

import pytest

from opencram.adapters.cap import CapBook, CapConfig
from opencram.adapters.words import load_language
from opencram.config.model import Site
from opencram.config.site import load_site
from opencram.messages import Delivery, Health, Plot, Warning
from opencram.recording import contents, read_inputs, read_outputs
from opencram.runtime.configure import configure
from opencram.runtime.core import Core
from opencram.runtime.fittings import zones_of
from opencram.runtime.pipeline import dwells, initial, step
from opencram.runtime.replay import replay
from opencram.runtime.source import Source, read_plots

RAID = Path(__file__).resolve().parents[2] / "examples" / "seven-rockets"
PLOTS = 2600  # some alarms have been issued and updated by then
DELAY_NS = 20_000_000


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site(RAID / "site.toml")


@pytest.fixture(scope="module")
def plots(site: Site) -> list[Plot]:
    with (RAID / "plots.ndjson").open("rb") as file:
        found = [m for m in read_plots(site, Source("plots.ndjson", file)) if isinstance(m, Plot)]
    return found[:PLOTS]


def new_core(site: Site, folder: Path, clock_ns: int) -> Core:
    config = CapConfig(sender="a@b.example", sender_name="A", languages=(load_language("en"),))
    return Core(site, folder, CapBook(config, zones_of(site)), ["siren"], clock_ns)


def delivered(warning: Warning) -> Delivery:
    return Delivery(
        t_ns=warning.t_ns,
        channel="siren",
        alarm_id=warning.alarm_id,
        zone=warning.zone,
        state=warning.state,
        delivered=True,
        attempts=1,
        latency_s=0.01,
    )


class Run:
    """Feeds plots to a core, by the clock of their arrival; hands every alarm to a siren that always works."""

    def __init__(self, site: Site, folder: Path, plots: list[Plot]) -> None:
        self.site, self.folder, self.plots = site, folder, plots
        self.heard: list[str] = []  # identifiers, in the order in which the siren first heard them
        self.twice = 0
        self.set_by_ns = 0  # of the clock, since the run began
        self.core = new_core(site, folder, plots[0].t_ns + DELAY_NS)

    def hear(self, alarms: list) -> None:
        for alarm in alarms:
            identifier = alarm.message.identifier
            if identifier in self.heard:
                assert alarm.again, identifier
                self.twice += 1
            else:
                self.heard.append(identifier)
            self.core.note(delivered(alarm.message.warning))

    def feed(self, begin: int, end: int) -> None:
        for plot in self.plots[begin:end]:
            clock_ns = plot.t_ns + DELAY_NS + self.set_by_ns
            self.hear(self.core.advance(clock_ns))
            self.hear(self.core.take([plot], clock_ns))

    def kill_and_restart(self) -> int:
        """Lose all that is not on the disk; return how many plots the log has."""
        self.core.writer._let_folder_go()
        self.core.writer._connection.close()
        numbers = [m.plot_id for m in read_inputs(self.core.path) if isinstance(m, Plot)]
        logged = len(numbers)
        self.core = new_core(self.site, self.folder, self.plots[max(logged - 1, 0)].t_ns + DELAY_NS)
        assert self.core.last_plot_id == max(numbers, default=0)  # new plots are numbered from there on
        self.hear(self.core.again)
        return logged

    def end(self) -> None:
        self.hear(self.core.close(self.plots[-1].t_ns + 2 * DELAY_NS))


@pytest.fixture(scope="module")
def whole(site: Site, plots: list[Plot], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that nothing disturbed."""
    run = Run(site, tmp_path_factory.mktemp("whole"), plots)
    run.feed(0, len(plots))
    run.end()
    return run


def test_the_same_plots_give_what_process_makes_of_them(whole: Run) -> None:
    config = configure(whole.site)
    state, expected = initial(config), []
    for batch in dwells(config, whole.plots):
        state, made = step(config, state, batch)
        expected += [m for m in made if isinstance(m, Warning)]
    warnings = [m for m in read_outputs(whole.core.path) if isinstance(m, Warning)]
    assert len(expected) > 10
    assert [w for w in warnings if w.t_ns <= expected[-1].t_ns] == expected
    assert len(whole.heard) == len(warnings)


def test_the_log_replays_byte_for_byte(whole: Run) -> None:
    result = replay(whole.core.path)
    assert result.identical
    assert result.sealed


@pytest.mark.parametrize("seed", range(3))
def test_after_kills_no_alarm_is_forgotten_and_none_is_new(whole: Run, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    run = Run(whole.site, tmp_path, whole.plots)
    begin = 0
    for end in sorted(draw.sample(range(len(whole.plots)), 4)):
        if end > begin:
            run.feed(begin, end)
            if draw.random() < 0.5:
                run.core.keep()
            begin = run.kill_and_restart()
    run.feed(begin, len(whole.plots))
    run.end()
    assert run.heard == whole.heard
    assert replay(run.core.path).identical
    assert contents(run.core.path).sealed


def test_a_state_that_does_not_fit_the_log_is_not_believed(whole: Run, tmp_path: Path) -> None:
    run = Run(whole.site, tmp_path, whole.plots)
    run.feed(0, 1500)
    run.core.keep()
    for wrong in (b"", b"no pickle", (tmp_path / "live.state").read_bytes()[:5000]):
        (tmp_path / "live.state").write_bytes(wrong)
        begin = run.kill_and_restart()
    run.feed(begin, len(whole.plots))
    run.end()
    assert run.heard == whole.heard


def test_time_goes_on_by_the_clock_when_plots_end_and_alarms_end_by_it(whole: Run, tmp_path: Path) -> None:
    run = Run(whole.site, tmp_path, whole.plots)
    run.feed(0, len(whole.plots))
    assert run.core.standing
    run.core.note(Health(t_ns=1, part="sensor:north", state="lost", reason="silent"))
    clock_ns = whole.plots[-1].t_ns + DELAY_NS
    for k in range(1500):
        run.hear(run.core.advance(clock_ns + k * 1_000_000_000))
    assert not run.core.standing
    run.end()
    ends = [m.state for m in read_outputs(run.core.path) if isinstance(m, Warning)]
    assert ends.count("issued") == ends.count("cancelled") + ends.count("all_clear")


@pytest.mark.parametrize("by_s", [3600, -3600])
def test_a_clock_that_is_set_in_a_raid_changes_nothing(whole: Run, tmp_path: Path, by_s: int) -> None:
    run = Run(whole.site, tmp_path, whole.plots)
    half = len(whole.plots) // 2
    run.feed(0, half)
    run.set_by_ns = by_s * 1_000_000_000
    run.core.clock_was_set(run.set_by_ns)
    run.feed(half, len(whole.plots))
    run.hear(run.core.close(whole.plots[-1].t_ns + 2 * DELAY_NS + run.set_by_ns))
    assert run.heard == whole.heard


def test_a_log_of_another_site_file_is_set_aside_not_lost(whole: Run, tmp_path: Path) -> None:
    run = Run(whole.site, tmp_path, whole.plots)
    run.feed(0, 300)
    run.end()
    other = load_site(RAID.parent / "mortars" / "site.toml")
    core = new_core(other, tmp_path, whole.plots[0].t_ns)
    core.close(whole.plots[0].t_ns)
    assert contents(tmp_path / "live-000001.opencram").records > 300

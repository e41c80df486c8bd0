"""The pipeline: how plots are cut into dwells, how time goes on after the last one, and that a run ends."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.config.site import load_site
from opencram.messages import Message, Plot, Rejected, Tick, Track, Warning
from opencram.runtime import pipeline
from opencram.runtime.configure import configure
from opencram.runtime.pipeline import PipelineConfig, batches_of, due_t_ns, dwells, initial, run, step
from opencram.runtime.warmup import raid

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
S = 1_000_000_000


@pytest.fixture(scope="module")
def config() -> PipelineConfig:
    return configure(load_site(EXAMPLES / "seven-rockets" / "site.toml"))


def plot(t_s: float, sensor: str = "north", plot_id: int = 1) -> Plot:
    return Plot(t_ns=round(t_s * S), plot_id=plot_id, sensor=sensor, range_m=9e3, azimuth_rad=1.0, elevation_rad=0.5)


def rejected(t_s: float) -> Rejected:
    return Rejected(t_ns=round(t_s * S), reason="no plot", code="not_json")


def sizes(batches: list[list[Message]]) -> list[int]:
    return [sum(isinstance(message, Plot) for message in batch) for batch in batches]


def test_plots_of_one_sensor_and_time_are_a_dwell(config: PipelineConfig) -> None:
    plots = [plot(1.0), plot(1.0), plot(1.0, "south"), plot(1.1), plot(1.105), plot(1.2)]
    batches = list(dwells(config, plots))
    assert sizes(batches) == [2, 1, 2, 1]  # a tenth of the 0.1 s between the scans of "north" is 10 ms
    assert [batch[-1] for batch in batches] == [Tick(t_ns=round(t * S)) for t in (1.0, 1.0, 1.105, 1.2)]


def test_a_rejected_line_parts_no_dwell(config: PipelineConfig) -> None:
    (batch,) = dwells(config, [rejected(0.9), plot(1.0), rejected(1.0), plot(1.0), rejected(1.0)])
    assert [type(message) for message in batch] == [Rejected, Plot, Rejected, Plot, Rejected, Tick]


def test_the_clock_never_goes_back(config: PipelineConfig) -> None:
    batches = list(dwells(config, [plot(5.0), plot(4.0, "south"), plot(5.1)]))
    assert [batch[-1].t_ns / S for batch in batches] == [5.0, 5.0, 5.1]


def test_floods_are_cut(config: PipelineConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "DWELL_PLOTS_MAX", 10)
    monkeypatch.setattr(pipeline, "BATCH_MESSAGES_MAX", 30)
    assert sizes(list(dwells(config, [plot(1.0) for _ in range(25)]))) == [10, 10, 5]
    rubbish = list(dwells(config, [rejected(1.0) for _ in range(100)]))
    assert [len(batch) for batch in rubbish] == [30, 30, 30, 10]
    assert not any(isinstance(message, Tick) for batch in rubbish for message in batch)


messages_of_any_kind = st.lists(
    st.one_of(
        st.builds(plot, st.floats(0.0, 3.0), st.sampled_from(["north", "south", "nowhere"])),
        st.builds(rejected, st.floats(0.0, 3.0)),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(messages=messages_of_any_kind)
def test_dwells_lose_and_reorder_nothing_and_come_again_from_a_recording(
    config: PipelineConfig, messages: list[Message]
) -> None:
    batches = list(dwells(config, messages))
    flat = [message for batch in batches for message in batch]
    assert [message for message in flat if not isinstance(message, Tick)] == messages
    assert list(batches_of(flat)) == batches


def test_a_batch_of_nothing_changes_nothing(config: PipelineConfig) -> None:
    state = initial(config)
    for batch in ([], [rejected(1.0)], [Tick(t_ns=0)]):
        state, made = step(config, state, batch)
        assert made == []
    assert due_t_ns(config, state) is None


def test_a_run_ends_when_all_tracks_and_alarms_have(config: PipelineConfig) -> None:
    site = load_site(EXAMPLES / "seven-rockets" / "site.toml")
    plots = [p for p in raid() if isinstance(p, Plot)]
    moved = [Plot(**{**{f: getattr(p, f) for f in p.__struct_fields__}, "sensor": site.sensors[0].id}) for p in plots]
    tracks: dict[int, str] = {}
    alarms: dict[int, str] = {}
    last_ns, ticks = 0, 0
    for inputs, outputs in run(config, moved):
        assert inputs[-1].t_ns >= last_ns
        last_ns = inputs[-1].t_ns
        ticks += 1
        for message in outputs:
            assert message.t_ns <= last_ns
            if isinstance(message, Track):
                tracks[message.track_id] = message.status
            elif isinstance(message, Warning):
                alarms[message.alarm_id] = message.state
    assert tracks
    assert set(tracks.values()) == {"dropped"}
    assert set(alarms.values()) <= {"cancelled", "all_clear"}
    assert ticks < 2000  # the wait for the all-clear is a few steps, not one for each tenth of a second


def test_alarms_get_their_all_clear_on_time(config: PipelineConfig) -> None:
    """From an alarm with a fallen round, the next tick is at the end of its dwell, not at its expiry."""
    state = initial(config)
    margin_ns = round(config.warning.expiry_margin_s * 1e9)
    state = pipeline.PipelineState(
        **{
            **vars(state),
            "now_ns": 100 * S,
            "last_plot_t_ns": 90 * S,
            "in_air_until_ns": 95 * S,
            "alarm_expiries_ns": {1: 700 * S + margin_ns, 2: 650 * S + margin_ns},
        }
    )
    assert due_t_ns(config, state) == 650 * S

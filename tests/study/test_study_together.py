"""Alternatives flown side by side come to what each comes to by itself, and share what they have in common."""

from collections import Counter

import pytest

from opencram.config.study import load_study
from opencram.messages import Plot, Tick
from opencram.studies import together
from opencram.studies.preparing import prepare
from opencram.studies.rows import encoded
from opencram.studies.running import run_together
from opencram.studies.together import Memory, Parts
from study_data import STUDY, write_study

ALARMS = """
[[factor]]
name = "alarm"
set = "site.warning.probability"
values = [0.05, 0.3]
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return prepare(load_study(write_study(tmp_path_factory.mktemp("together"), STUDY + ALARMS)))


def test_together_or_alone_is_the_same_to_the_byte(prepared):
    numbers = [each.number for each in prepared.alternatives]
    assert len(numbers) == 4
    for run in (0, 1):
        alone = [encoded(run_together(prepared, [number], run)[0]) for number in numbers]
        assert [encoded(row) for row in run_together(prepared, numbers, run)] == alone
        assert len(set(alone)) > 1


def test_two_alarm_rules_share_the_tracks_and_not_the_warnings(prepared, monkeypatch):
    made: Counter[str] = Counter()

    class Counting(Memory):
        def call(self, function, *args):
            def counted(*given):
                made[f"{function.__module__}.{function.__name__}"] += 1
                return function(*given)

            counted.__name__ = function.__name__
            return super().call(self.wrapped.setdefault(function, counted), *args)

        def __init__(self, alternatives):
            super().__init__(alternatives)
            self.wrapped = {}

    monkeypatch.setattr("opencram.studies.running.Memory", Counting)
    two = [each.number for each in prepared.alternatives if dict(each.levels)["policy"] == "site"]
    run_together(prepared, two, 0)
    stages = {name.split(".")[1]: count for name, count in made.items() if name.endswith("stage.step")}
    for shared in ("tracking", "prediction", "threat", "engagement"):
        assert stages["warning"] == pytest.approx(2 * stages[shared], rel=0.02)  # the last ticks are an alarm's own


def test_what_is_remembered_is_bounded_and_messages_are_compared_by_value():
    calls = []

    def step(config, state, batch):
        calls.append(batch)
        return object()

    def plot(range_m):
        return Plot(t_ns=1, plot_id=1, sensor="s", range_m=range_m, azimuth_rad=0.0, elevation_rad=0.1)

    memory, config, state = Memory(1), object(), object()
    first = memory.call(step, config, state, [plot(5.0), Tick(t_ns=1)])
    assert memory.call(step, config, state, [plot(5.0), Tick(t_ns=1)]) is first
    assert memory.call(step, config, state, [plot(5.0), Tick(t_ns=2)]) is not first
    assert memory.call(step, config, object(), [plot(5.0), Tick(t_ns=1)]) is not first
    assert len(calls) == 3
    for _ in range(together.CALLS_KEPT):
        memory.call(step, config, object(), [])
    assert memory.call(step, config, state, [plot(5.0), Tick(t_ns=1)]) is not first


def test_configurations_that_say_the_same_are_one_object():
    parts = Parts()
    first = parts.one((1.0, "a"))
    assert parts.one((1.0, "".join(["a"]))) is first
    assert parts.one((2.0, "a")) is not first


def test_a_stage_that_sleeps_in_one_state_does_not_make_the_memory_grow():
    kept = Memory(alternatives=2)
    config, state = object(), object()

    def asleep(config, state, messages):
        return state, []

    for t_ns in range(1000):
        kept.call(asleep, config, state, [Tick(t_ns=t_ns)])
    (calls,) = kept._known.values()
    assert sum(len(same) for same in calls.by_key.values()) == 2 * together.CALLS_KEPT

"""Bad lines among good ones: each is answered with its line and a reason, and the good ones lose nothing."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

import truth

Run = Callable[..., CompletedProcess[str]]
SITE_PATH, PLOTS_PATH, _ = truth.raid_paths("mortars")
GOOD_LINES = PLOTS_PATH.read_bytes().splitlines()
LINE = re.compile(rb'"line":\d+,?')


def altered(**changes: Any) -> Callable[[int], bytes]:
    """A copy of the plot before, with other values."""
    return lambda at: json.dumps(json.loads(GOOD_LINES[at - 1]) | changes).encode()


def raw(old: bytes, new: bytes) -> Callable[[int], bytes]:
    """A copy of the plot before, with other bytes."""

    def make(at: int) -> bytes:
        line = re.sub(old, new, GOOD_LINES[at - 1])
        assert line != GOOD_LINES[at - 1]
        return line

    return make


def without(name: str) -> Callable[[int], bytes]:
    """A copy of the plot before that lacks a field."""
    return lambda at: json.dumps({k: v for k, v in json.loads(GOOD_LINES[at - 1]).items() if k != name}).encode()


def earlier(seconds: float) -> Callable[[int], bytes]:
    """A copy of the plot before as it would have come `seconds` ago, at another range."""

    def make(at: int) -> bytes:
        plot = json.loads(GOOD_LINES[at - 1])
        second = float(plot["time"][17:26]) - seconds
        assert second >= 0.0, "the plot must stand late enough in its minute"
        time = f"{plot['time'][:17]}{second:09.6f}Z"
        return json.dumps(plot | {"time": time, "range_m": plot["range_m"] + 777.0}).encode()

    return make


BAD: dict[str, Callable[[int], bytes]] = {
    "range is not a number": raw(rb'"range_m": [^,]*', b'"range_m": NaN'),
    "range is infinite": raw(rb'"range_m": [^,]*', b'"range_m": Infinity'),
    "range overflows to infinity": raw(rb'"range_m": [^,]*', b'"range_m": 1e999'),
    "azimuth is minus infinity": raw(rb'"azimuth_deg": [^,]*', b'"azimuth_deg": -Infinity'),
    "elevation is not a number": raw(rb'"elevation_deg": [^}]*', b'"elevation_deg": NaN'),
    "range is negative": altered(range_m=-4100.0),
    "range is far beyond the radar": altered(range_m=1e12),
    "range is a word": altered(range_m="far"),
    "range is null": altered(range_m=None),
    "elevation is beyond the zenith": altered(elevation_deg=123.0),
    "Doppler overflows": raw(rb'"range_m"', b'"range_rate_m_s": 1e999, "range_m"'),
    "deviation is negative": altered(range_std_m=-1.0),
    "sensor is unknown": altered(sensor="lighthouse"),
    "sensor is missing": without("sensor"),
    "azimuth is missing": without("azimuth_deg"),
    "time is missing": without("time"),
    "time is a word": altered(time="yesterday"),
    "time is a number": altered(time=1767225600),
    "type is another": altered(type="plod"),
    "the same plot again": altered(),
    "time goes back by 0.7 s": earlier(0.7),
    "time goes back by 2 s": earlier(2.0),
    "not an object": lambda _: b"[1, 2, 3]",
    "half a line": lambda at: GOOD_LINES[at - 1][:57],
    "binary rubbish": lambda _: bytes(b for b in range(256) if b not in b"\r\n") * 3,
    "a line of zeros": lambda _: b"\x00" * 400,
    "a line of a million characters": lambda _: b'{"type":"plot","sensor":"' + b"x" * 1_000_000,
    "a hundred thousand brackets": lambda _: b"[" * 100_000,
}


def process(opencram: Run, plots: bytes, folder: Path, suffix: str = ".ndjson") -> list[bytes]:
    """Return the events, a line each, that the program makes of a plot file for the mortar raid."""
    plots_path, events_path = folder / f"plots{suffix}", folder / "events.ndjson"
    plots_path.write_bytes(plots)
    opencram("process", SITE_PATH, "--plots", plots_path, "--events", events_path)
    return events_path.read_bytes().splitlines()


def is_rejected(event: bytes) -> bool:
    return bool(json.loads(event)["type"] == "rejected")


def without_line_numbers(events: list[bytes]) -> list[bytes]:
    return [LINE.sub(b"", event) for event in events if not is_rejected(event)]


@pytest.fixture(scope="module")
def clean(opencram: Run, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return process(opencram, PLOTS_PATH.read_bytes(), tmp_path_factory.mktemp("clean"))


@pytest.fixture(scope="module")
def dirty(opencram: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, int], list[bytes]]:
    """The mortar raid with every bad line among the good ones: where each stands, and the events."""
    lines: list[bytes] = []
    numbers: dict[str, int] = {}
    wanted = {60 + 11 * k: name for k, name in enumerate(BAD)}
    assert max(wanted) < len(GOOD_LINES)
    for at, good in enumerate(GOOD_LINES):
        if at in wanted:
            lines.append(BAD[wanted[at]](at))
            numbers[wanted[at]] = len(lines)
        lines.append(good)
    return numbers, process(opencram, b"\n".join(lines) + b"\n", tmp_path_factory.mktemp("dirty"))


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_answered_with_a_reason(dirty: tuple[dict[str, int], list[bytes]], name: str) -> None:
    numbers, events = dirty
    answers = [json.loads(event) for event in events if is_rejected(event)]
    own = [answer for answer in answers if answer["line"] == numbers[name]]
    assert len(own) == 1
    assert len(own[0]["reason"].split()) >= 2, own[0]["reason"]
    assert len(own[0]["reason"]) <= 400


def test_no_good_line_is_rejected_among_bad_ones(dirty: tuple[dict[str, int], list[bytes]]) -> None:
    numbers, events = dirty
    answers = [json.loads(event)["line"] for event in events if is_rejected(event)]
    assert sorted(answers) == sorted(numbers.values())


def test_the_good_lines_lose_nothing(dirty: tuple[dict[str, int], list[bytes]], clean: list[bytes]) -> None:
    assert without_line_numbers(dirty[1]) == without_line_numbers(clean)


def test_a_file_cut_off_in_its_last_line_loses_only_that(opencram: Run, tmp_path: Path) -> None:
    whole = b"\n".join(GOOD_LINES[:300]) + b"\n"
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    cut = process(opencram, whole + GOOD_LINES[300][:40], tmp_path / "a")
    assert [json.loads(event)["line"] for event in cut if is_rejected(event)] == [301]
    assert without_line_numbers(cut) == without_line_numbers(process(opencram, whole, tmp_path / "b"))


def test_line_ends_of_another_system_and_no_last_one_change_nothing(
    opencram: Run, tmp_path: Path, clean: list[bytes]
) -> None:
    assert process(opencram, b"\r\n".join(GOOD_LINES), tmp_path) == clean


def test_the_same_plots_as_csv_give_the_same_events(opencram: Run, tmp_path: Path, clean: list[bytes]) -> None:
    plots = [json.loads(line) for line in GOOD_LINES]
    path = tmp_path / "table.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(plots[0]))
        writer.writeheader()
        writer.writerows(plots)
    events = process(opencram, path.read_bytes(), tmp_path, ".csv")
    assert without_line_numbers(events) == without_line_numbers(clean)


@pytest.mark.parametrize("plots", [b"", b"\n\n", b"\x00\xff\x00\xff", b"not a plot\n" * 20], ids=range(4))
def test_a_file_without_a_plot_is_exit_code_3(opencram: Run, tmp_path: Path, plots: bytes) -> None:
    path = tmp_path / "plots.ndjson"
    path.write_bytes(plots)
    done = opencram("process", SITE_PATH, "--plots", path, "--events", tmp_path / "events", code=3)
    assert "Traceback" not in done.stderr
    assert str(path) in done.stderr


def test_a_site_file_with_five_faults_answers_all_five(opencram: Run, tmp_path: Path) -> None:
    text = SITE_PATH.read_text()
    faults = [
        ("latitude_deg = 12.65\n", "latitude_deg = 112.65\n", "$.site.latitude_deg", "112.65"),
        ("range_max_m = 20000.0", "range_max_m = -1", "$.sensor[0].range_max_m", "-1"),
        ("detection_probability = 0.85", "detection_probability = 1.85", "$.sensor[0].detection_probability", "1.85"),
        ("population = 2300", "population = -2300", "$.zone[1].population", "-2300"),
        ('protect = "site"', 'protect = "nobody"', "$.policy.protect", "nobody"),
    ]
    for good, bad, _, _ in faults:
        assert text.count(good) == 1
        text = text.replace(good, bad)
    path = tmp_path / "site.toml"
    path.write_text(text)
    done = opencram("process", path, "--plots", PLOTS_PATH, code=2)
    for _, _, place, value in faults:
        line = next(line for line in done.stderr.splitlines() if place in line)
        assert value in line
        assert ";" in line.split(value, 1)[1], f"no remedy: {line}"
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("missing", ["site", "plots"])
def test_a_file_that_is_not_there_is_named(opencram: Run, tmp_path: Path, missing: str) -> None:
    paths = {"site": SITE_PATH, "plots": PLOTS_PATH} | {missing: tmp_path / "nowhere.file"}
    done = opencram("process", paths["site"], "--plots", paths["plots"], code=2)
    assert "nowhere.file" in done.stderr
    assert "Traceback" not in done.stderr

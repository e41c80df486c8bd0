"""The commands as a person types them: outputs, exit codes, words on errors."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from opencram import __version__
from opencram.cli import main
from opencram.recording import contents, read

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SITE, PLOTS = str(EXAMPLES / "mortars" / "site.toml"), EXAMPLES / "mortars" / "plots.ndjson"
COMMAND = [sys.executable, "-m", "opencram"]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The first lines of the mortar raid: one round under track."""
    path = tmp_path_factory.mktemp("few") / "plots.ndjson"
    path.write_bytes(b"".join(PLOTS.read_bytes().splitlines(keepends=True)[:120]))
    return str(path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return exit code, standard output and standard error of a command."""

    def command(*arguments: object) -> tuple[int, str, str]:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


Run = Callable[..., tuple[int, str, str]]


# ---- what a program reads -------------------------------------------------------------------------


def test_help_loads_nothing_heavy() -> None:
    code = "import sys\nfrom opencram.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
    code += "print('LOADED', *sorted({'numba', 'numpy', 'rich', 'scipy', 'msgspec'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"opencram {__version__}\n", "")


@pytest.mark.parametrize(
    "command", ["", "process", "simulate", "replay", "report", "check", "warmup"], ids=lambda c: c or "opencram"
)
def test_every_command_has_help(run: Run, command: str) -> None:
    code, out, _ = run(*command.split(), "--help")
    assert code == 0
    assert out.startswith("usage: opencram")


def test_events_to_standard_output_are_alone_there(run: Run, few: str, tmp_path: Path) -> None:
    code, out, err = run("process", SITE, "--plots", few, "--events", "-")
    assert code == 0
    events = [json.loads(line) for line in out.splitlines()]
    assert {"track", "impact", "decision", "warning"} <= {event["type"] for event in events}
    assert "tracked" in err
    code, shown, _ = run("process", SITE, "--plots", few, "--events", tmp_path / "events")
    assert code == 0
    assert (tmp_path / "events").read_text() == out
    assert "confirmed" in shown


def test_summary_as_json(run: Run, few: str, tmp_path: Path) -> None:
    recording = tmp_path / "raid.opencram"
    code, out, _ = run("process", SITE, "--plots", few, "--recording", recording, "--json")
    assert code == 0
    summary = json.loads(out)
    assert summary["plots"] == 120
    assert summary["outputs"]["recording"] == str(recording)
    assert summary["tracks"][0]["first_time"].startswith("2026-01-01T00:00:")
    assert contents(recording).sealed


def test_replay_and_report(run: Run, few: str, tmp_path: Path) -> None:
    recording, report = tmp_path / "raid.opencram", tmp_path / "raid.html"
    run("process", SITE, "--plots", few, "--recording", recording, "--no-live", "--events", tmp_path / "one")
    code, out, _ = run("replay", recording, "--json", "--events", tmp_path / "two")
    assert code == 0
    assert json.loads(out)["identical"] is True
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    code, out, _ = run("report", recording)
    assert code == 0
    assert report.is_file()
    assert str(report) in out
    code, _, _ = run("process", SITE, "--plots", few, "--no-live", "--report", tmp_path / "b.html")
    assert code == 0
    assert (tmp_path / "b.html").is_file()
    assert not list(tmp_path.glob("run.*"))


def test_check(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("check", SITE)
    assert code == 0
    assert "Sensor mast" in out
    assert "No faults" in out
    code, out, _ = run("check", SITE, "--json")
    assert json.loads(out)["ok"] is True
    bad = tmp_path / "site.toml"
    bad.write_text(Path(SITE).read_text().replace("period_s = ", "period_s = -"))
    code, out, err = run("check", bad)
    assert (code, out) == (2, "")
    assert "$.sensor[0].period_s" in err
    code, out, _ = run("check", bad, "--json")
    assert code == 2
    assert json.loads(out)["faults"][0]["place"] == "$.sensor[0].period_s"


def test_warmup(run: Run) -> None:
    code, out, _ = run("warmup", "--json")
    assert code == 0
    assert json.loads(out)["compiled"] >= 0


# ---- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "COMMAND"),
        (("proces",), 2, "proces"),
        (("process", SITE), 2, "--plots"),
        (("process", "nowhere.toml", "--plots", PLOTS), 2, "nowhere.toml"),
        (("process", SITE, "--plots", "nowhere.ndjson"), 2, "nowhere.ndjson"),
        (("process", SITE, "--plots", os.devnull, "--events", os.devnull), 3, "no readable plot"),
        (("process", SITE, "--plots", PLOTS, "--events", "-", "--json"), 2, "standard output"),
        (("process", SITE, "--plots", PLOTS, "--events", "/nowhere/e"), 2, "/nowhere/e"),
        (("process", SITE, "--plots", PLOTS, "--recording", "/nowhere/r"), 2, "/nowhere/r"),
        (("process", SITE, "--plots", PLOTS, "--report", "/nowhere/r.html"), 2, "/nowhere/r.html"),
        (("process", SITE, "--plots", PLOTS, "--truth", "/nowhere.json", "--report", "r.html"), 2, "/nowhere.json"),
        (("process", SITE, "--plots", PLOTS, "--pace", "-1"), 2, "--pace"),
        (("process", SITE, "--plots", PLOTS, "--pace", "nan"), 2, "--pace"),
        (("simulate", SITE), 2, "$.scenario"),
        (("replay", "nowhere.opencram"), 2, "nowhere.opencram"),
        (("replay", SITE), 2, "not a recording"),
        (("report", SITE), 2, "not a recording"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, arguments: tuple[object, ...], code: int, words: str) -> None:
    found, out, err = run(*arguments)
    assert found == code, err
    assert words in err
    assert "Traceback" not in err
    assert out == ""


def test_a_recording_that_differs_is_exit_code_1(run: Run, few: str, tmp_path: Path) -> None:
    recording = tmp_path / "raid.opencram"
    run("process", SITE, "--plots", few, "--recording", recording, "--no-live")
    connection = sqlite3.connect(recording)
    with connection:
        connection.execute("DELETE FROM record WHERE seq = (SELECT max(seq) FROM record WHERE kind = 'track')")
        connection.execute("UPDATE segment SET sha256 = NULL")
    connection.close()
    code, out, _ = run("replay", recording)
    assert code == 1
    assert "Different, first at record" in out


def test_a_reader_who_has_had_enough_is_no_error(few: str) -> None:
    command = [*COMMAND, "process", SITE, "--plots", few, "--events", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        code = process.wait(timeout=120)
    assert code == 141
    assert b"Traceback" not in err
    assert b"Exception" not in err


@pytest.mark.parametrize(
    ("interrupted", "links"),
    [(True, 0), (True, 1), (True, 3), (False, 1)],
)
def test_an_interrupt_inside_a_kernel_is_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], interrupted: bool, links: int
) -> None:
    def stop(_args: object) -> int:
        error: BaseException = KeyboardInterrupt() if interrupted else ValueError("of another kind")
        for _ in range(links):
            try:
                raise SystemError("returned a result with an exception set") from error
            except SystemError as next_error:
                error = next_error
        raise error

    monkeypatch.setattr("opencram.cli._check", stop)
    if interrupted:
        assert main(["check", SITE]) == 130
        assert "interrupted" in capsys.readouterr().err
    else:
        with pytest.raises(SystemError):
            main(["check", SITE])


def _heed_interrupts() -> None:
    """Undo what a shell does to a job in the background: it would not be told of an interrupt."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupted_leaves_a_whole_recording(tmp_path: Path) -> None:
    recording, events = tmp_path / "raid.opencram", tmp_path / "events"
    command = [*COMMAND, "process", SITE, "--plots", "-", "--recording", str(recording), "--events", str(events)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, **pipes, preexec_fn=_heed_interrupts) as process:  # noqa: PLW1509  no threads here
        assert process.stdin is not None
        process.stdin.write(b"".join(PLOTS.read_bytes().splitlines(keepends=True)[:120]))
        process.stdin.flush()
        until_s = time.monotonic() + 400.0  # kernels may be compiling on a busy machine
        while time.monotonic() < until_s and not (events.is_file() and events.stat().st_size > 5000):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(BrokenPipeError):
            _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert b"interrupted" in err
    assert contents(recording).sealed
    assert sum(1 for _ in read(recording)) > 100


def test_process_reads_a_csv_file_with_a_column_map(tmp_path, capsys):
    rows = [json.loads(line) for line in (EXAMPLES / "mortars" / "plots.ndjson").read_text().splitlines()]
    text = "\n".join(f"{r['time']} {r['range_m']} {r['azimuth_deg']} {r['elevation_deg']}" for r in rows)
    (tmp_path / "a.txt").write_text(text)
    head = 'delimiter = "whitespace"\nsensor = "mast"\nheader = ["time", "range_m", "azimuth_deg", "elevation_deg"]\n'
    (tmp_path / "map.toml").write_text(f"[csv]\n{head}")
    site = str(EXAMPLES / "mortars" / "site.toml")
    given = ["process", site, "--plots", str(tmp_path / "a.txt"), "--columns", str(tmp_path / "map.toml"), "--json"]
    assert main(given) == 0
    assert json.loads(capsys.readouterr().out)["plots"] == len(rows)

    (tmp_path / "map.toml").write_text(f"[csv]\n{head}".replace("whitespace", ";"))
    assert main(given) == 3
    assert "--columns" in capsys.readouterr().err

"""Plots a second of `opencram process` on one core, beside Stone Soup on the same plots in the same run.

    make bench        or        python benchmarks/process_speed.py [--runs N] [--seconds S] [--no-peer]

Two figures for opencram: the whole of ripple-24 (24 rockets in six seconds, 13 442 plots), and its first
seconds, which Stone Soup gets too.  Both programs are bound to one processor core and take turns, so that what
else the machine does meets both; the figures are medians.  For opencram the time is that of the command from
opening the plot file to the last event written, kernels compiled, without the start of the interpreter; for
Stone Soup that of the tracker alone (see `stonesoup_peer.py`).  The peer lives in an environment of its own,
benchmarks/.venv-peer, made from requirements/bench.txt at the first run.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
RAID = REPOSITORY / "examples" / "ripple-24"
PEER_ENVIRONMENT = REPOSITORY / "benchmarks" / ".venv-peer"
PEER_LOCK = REPOSITORY / "requirements" / "bench.txt"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


def peer_python() -> Path:
    """Return the interpreter of the peer's environment; make it if its lock has changed."""
    python, mark = PEER_ENVIRONMENT / "bin" / "python", PEER_ENVIRONMENT / ".made-for-bench"
    if not mark.exists() or mark.read_bytes() != PEER_LOCK.read_bytes():
        print(f"Making {PEER_ENVIRONMENT.relative_to(REPOSITORY)} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", PEER_ENVIRONMENT], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*install, "-r", PEER_LOCK], check=True)
        mark.write_bytes(PEER_LOCK.read_bytes())
    return python


def on_one_core(command: list[str | Path], core: int) -> dict[str, float]:
    """Return the JSON object that a command prints when it runs on one core."""
    run = subprocess.run(
        ["taskset", "--cpu-list", str(core), *command],
        env=os.environ | ONE_THREAD,
        stdout=subprocess.PIPE,
        check=True,
    )
    result: dict[str, float] = json.loads(run.stdout)
    return result


def opencram_s(plots: Path, core: int, folder: Path) -> tuple[int, float]:
    """Return how many plots `opencram process` took, and how many seconds."""
    command = [Path(sys.executable).with_name("opencram"), "process", RAID / "site.toml", "--plots", plots]
    result = on_one_core([*command, "--events", folder / "events.ndjson", "--json"], core)
    return int(result["plots"]), result["elapsed_s"]


def peer_s(python: Path, plots: Path, core: int) -> tuple[int, float]:
    """Return how many plots Stone Soup took, and how many seconds."""
    script = REPOSITORY / "benchmarks" / "stonesoup_peer.py"
    result = on_one_core([python, script, RAID / "site.toml", plots], core)
    return int(result["plots"]), result["seconds"]


def first_seconds(seconds: float, folder: Path) -> Path:
    """Return a file with the plots of the first seconds of the raid, which all lie in one minute."""
    assert 0.0 < seconds < 60.0
    path = folder / "first.ndjson"
    lines = (RAID / "plots.ndjson").read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if json.loads(line)["time"][14:26] <= f"00:{seconds:09.6f}"))
    return path


def processor() -> str:
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def main() -> None:
    """Take turns, and print the table."""
    parser = argparse.ArgumentParser(description="Plots a second on one core, beside Stone Soup.")
    parser.add_argument("--runs", type=int, default=5, help="runs of each; the median counts (default 5)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of the raid for the comparison (default 20)")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="the core to run on")
    parser.add_argument("--no-peer", action="store_true", help="measure opencram alone")
    chosen = parser.parse_args()
    times: dict[str, list[float]] = {}
    counts: dict[str, int] = {}

    def note(name: str, measured: tuple[int, float]) -> None:
        counts[name], seconds = measured
        times.setdefault(name, []).append(seconds)

    whole, part, peer = "opencram, whole raid", f"opencram, first {chosen.seconds:g} s", "Stone Soup, the same"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = first_seconds(chosen.seconds, folder)
        python = None if chosen.no_peer else peer_python()
        opencram_s(first, chosen.core, folder)  # compiles the kernels, if they are not
        for turn in range(1, chosen.runs + 1):
            print(f"turn {turn} of {chosen.runs} …", file=sys.stderr, flush=True)
            note(whole, opencram_s(RAID / "plots.ndjson", chosen.core, folder))
            note(part, opencram_s(first, chosen.core, folder))
            if python is not None:
                note(peer, peer_s(python, first, chosen.core))
    print(f"{processor()}; Python {platform.python_version()}; one core; median of {chosen.runs}\n")
    print("| program | plots | seconds | plots/s | fastest–slowest (s) |\n|---|---:|---:|---:|---:|")
    rates = {name: counts[name] / statistics.median(seconds) for name, seconds in times.items()}
    for name, seconds in times.items():
        middle = statistics.median(seconds)
        spread = f"{min(seconds):.3f}–{max(seconds):.3f}"
        print(f"| {name} | {counts[name]} | {middle:.3f} | {rates[name]:,.0f} | {spread} |")
    if peer in rates:
        print(f"\nopencram / Stone Soup on the same plots: {rates[part] / rates[peer]:.0f}")


if __name__ == "__main__":
    main()

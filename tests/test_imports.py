"""Who may import whom, and what a person waits for before `opencram --help` answers."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
HEAVY = ("numba", "numpy", "scipy", "llvmlite")


def test_imports_point_down_the_list_of_the_design() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def heavy_imports(*arguments: str) -> list[str]:
    """Return which heavy packages `opencram ARGUMENTS` loads."""
    code = f"""
import sys
sys.argv = {["opencram", *arguments]!r}
from opencram.cli import main
try:
    main()
except SystemExit:
    pass
loaded = {{name.split(".")[0] for name in sys.modules}}
print("\\n" + " ".join(sorted(loaded & set({HEAVY!r}))))
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return run.stdout.splitlines()[-1].split()


def test_help_and_check_load_no_compiler() -> None:
    assert heavy_imports("--help") == []
    assert heavy_imports("check", "examples/seven-rockets/site.toml") == []


def test_help_answers_at_once() -> None:
    """In 0.2 s of processor time: what a quiet machine takes, and a busy one cannot spoil."""
    command = [str(Path(sys.executable).with_name("opencram")), "--help"]
    seconds = []
    for _ in range(5):
        before = os.times()
        subprocess.run(command, capture_output=True, check=True)
        after = os.times()
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(seconds) <= 0.2

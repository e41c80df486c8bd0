"""In which order a whole run goes, and how it compiles each kernel once: by one process, while others test.

With an empty cache the tracker alone is most of a minute of compiling.  Left to the tests, each worker would begin with
it; here one `opencram warmup` does it as the workers start with what needs no tracker, and the rest waits for it.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest

# Files and folders whose tests never come to the tracker: they go first, in this order: the first of ASTERIX compiles
# what the others of its folder need.  Those of BEHIND follow when the second process of the warm-up is through.
APART = (
    "display/test_display_browser.py", "asterix/test_asterix_codec.py", "display/test_display_live.py",
    "display/test_display_map.py", "test_tidy.py", "adapters", "asterix", "cap", "channels", "earth", "recording",
    "reference", "sapient", "scoring_checks", "test_ellipse.py", "test_imports.py", "test_kernel.py",
)  # fmt: skip
BEHIND = ("ballistics", "engagement", "prediction", "report", "threat", "warning")
TRACKING = ("engagement/test_shoot_look_shoot.py", "report/test_study_report.py")  # those of them that do
# The longest of the others, longest first: whoever works on one of them is not to be the last.
LONG = (
    "runtime/test_warmup_commands.py", "system/test_same_bytes.py", "notebooks/test_notebooks.py",
    "study/test_study_runs.py", "runtime/test_warmup.py", "live/test_core.py", "study/test_study_together.py",
    "cli/test_commands.py", "tracking/test_registration.py", "system/test_raids.py", "tracking/test_fit.py",
    "tracking/test_tracking_stage.py", "evaluation/test_bound_command.py", "display/test_display_reel.py",
    "system/test_bad_input.py", "tracking/test_patience.py", "display/test_display_flown.py",
    "tracking/test_salvos.py",
)  # fmt: skip
TESTS = Path(__file__).parent
WAITING = len(APART) + 1  # the rank from which on a test may need any kernel
PATIENCE_S = 600.0

_ready = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Let the order be that of `pytest_collection_modifyitems`, and not by the number of tests of a file."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False
    given = getattr(config, "workerinput", {}).get("kernels_ready")
    if given:
        config.stash[_ready] = Path(given)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return one more than there are processors, for `-n auto`: some tests wait, for a browser or for a clock."""
    given = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(given) if given else cores + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: list[Any]) -> None:
    """Compile, where several workers run everything: a part of the tests may need few kernels."""
    if len(specs) < 2 or config.args != config.getini("testpaths"):
        return
    ready = Path(tempfile.mkdtemp(prefix="opencram-tests-")) / "ready"
    config.stash[_ready] = ready

    def warm() -> None:
        try:
            subprocess.run([sys.executable, "-m", "opencram", "warmup"], capture_output=True, check=False)
        finally:
            ready.touch()  # what is not compiled now is so by the first test that calls it

    threading.Thread(target=warm, daemon=True).start()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each worker how it learns that all is compiled."""
    node.workerinput["kernels_ready"] = str(node.config.stash.get(_ready, ""))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put first what needs no tracker, then the longest files; if only a part is run, leave it as it is."""
    if _ready in config.stash:
        items.sort(key=lambda item: _rank(_place(item)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Wait until all is compiled, unless the test needs little of it."""
    ready = item.config.stash.get(_ready, None)
    if ready is None or _rank(_place(item)) < WAITING:
        return
    until_s = time.monotonic() + PATIENCE_S
    while not ready.exists() and time.monotonic() < until_s:
        time.sleep(0.1)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take away what told the workers."""
    if _ready in config.stash and not hasattr(config, "workerinput"):
        config.stash[_ready].unlink(missing_ok=True)
        config.stash[_ready].parent.rmdir()


def _place(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).as_posix()


def _rank(place: str) -> int:
    folder = place.split("/", maxsplit=1)[0]
    for each in (place, folder):
        if each in APART:
            return APART.index(each)
    if folder in BEHIND and place not in TRACKING:
        return len(APART)
    return WAITING + (LONG.index(place) if place in LONG else len(LONG))

"""Consent and veto in a browser before a simulation that `opencram serve` flies, to the effector model and back."""

import subprocess
import sys
from pathlib import Path

import display_raid as raid
import display_server
import pytest
from display_browser import needs_browser, run_flow

pytestmark = [needs_browser, pytest.mark.slow]
EXAMPLE = raid.ROOT / "examples" / "seven-rockets"
LAUNCH_S = 8.0  # time for a browser to open before anything is asked


def one_rocket(folder: Path, mode: str) -> Path:
    """Write the first of the seven rockets alone, under a policy of this mode."""
    site = (EXAMPLE / "site.toml").read_text(encoding="utf-8")
    assert site.count('mode = "automatic"') == 1
    (folder / "site.toml").write_text(site.replace('mode = "automatic"', f'mode = "{mode}"'), encoding="utf-8")
    head, first, *_ = (EXAMPLE / "scenario.toml").read_text(encoding="utf-8").split("[[launch]]")
    assert "time_s = 5.2" in first
    scenario = head + "[[launch]]" + first.replace("time_s = 5.2", f"time_s = {LAUNCH_S}")
    (folder / "scenario.toml").write_text(scenario, encoding="utf-8")
    return folder / "scenario.toml"


@pytest.mark.parametrize(("mode", "flow"), [("consent", "consentFlown"), ("veto", "vetoFlown")])
def test_what_a_person_decides_is_what_the_simulation_does(tmp_path: Path, mode: str, flow: str) -> None:
    port = display_server.free_port()
    command = [sys.executable, "-m", "opencram", "serve", str(one_rocket(tmp_path, mode)), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert "The display is at" in process.stdout.readline()
            run_flow(flow, f"127.0.0.1:{port}")
        finally:
            process.kill()

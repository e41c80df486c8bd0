"""What the warm-up makes ready is all that a raid calls: after it nothing is compiled, nor loaded."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

CODE = """
import gc, sys
from pathlib import Path
from numba.core.dispatcher import Dispatcher
from opencram.adapters.asterix.encode import encode_plots, encode_service
from opencram.adapters.feeds import Feed, FeedConfig
from opencram.adapters.gate import Gate
from opencram.adapters.stations import limits
from opencram.config.site import load_site
from opencram.messages import Plot
from opencram.runtime import warmup
from opencram.runtime.configure import configure
from opencram.runtime.pipeline import dwells, initial, step
from opencram.runtime.source import Source, read_plots
from opencram.runtime.stations import stations

def ready():
    found = {}
    for each in gc.get_objects():
        if isinstance(each, Dispatcher) and each.py_func.__module__.startswith("opencram."):
            found[f"{each.py_func.__module__}.{each.py_func.__name__}"] = len(each.signatures)
    return found

site = load_site(sys.argv[1])
if sys.argv[3] == "first":  # once that has been done with a version, a live service begins without it
    warmup.warm_up(simulation=False)
warmup.warm_site(site)
warmup.warm_feeds(site)
before = ready()
known = stations(site)
with open(sys.argv[2], "rb") as file:
    plots = [m for m in read_plots(site, Source("plots", file)) if isinstance(m, Plot)]
feed = Feed(FeedConfig(name="radars", format="asterix", simulated=True), known, Gate(limits(known)))
for number in (15, 48):
    for block in [encode_service(known[0], plots[0].t_ns), *encode_plots(plots[:40], known, category=number)]:
        feed.receive(block, plots[0].t_ns)
config = configure(site)
state = initial(config)
for batch in dwells(config, plots):
    state, _ = step(config, state, batch)
print([name for name, count in ready().items() if count != before.get(name, 0)])
"""


@pytest.mark.parametrize(("raid", "start"), [("seven-rockets", "first"), ("mortars", "first"), ("mortars", "later")])
def test_after_the_warm_up_a_raid_calls_nothing_new(raid: str, start: str, tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    text = (EXAMPLES / raid / "site.toml").read_text()
    site.write_text(text + '\n[[feed]]\nname = "radars"\nformat = "asterix"\nudp = "127.0.0.1:18600"\n')
    command = [sys.executable, "-c", CODE, str(site), str(EXAMPLES / raid / "plots.ndjson"), start]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


CLUTTER_CODE = """
import sys
from opencram import kernel
from opencram.config.site import load_site
from opencram.runtime import warmup

site = load_site(sys.argv[1])
warmup.warm_site(site)
print({"tracking.untangle.near_pairs", "tracking.thrust.log_thrust", "tracking.bank.fit_model"}
      - {name for name, types in kernel.signatures().items() if types})
"""


def test_the_warm_up_of_a_site_leads_as_far_under_clutter(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    text = (EXAMPLES / "mortars" / "site.toml").read_text()
    assert "clutter_per_scan = " in text
    site.write_text(re.sub("clutter_per_scan = .*", "clutter_per_scan = 1000.0", text))
    done = subprocess.run([sys.executable, "-c", CLUTTER_CODE, str(site)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

"""What the warm-up makes ready is all that a raid calls: after it nothing is compiled, nor loaded."""

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


@pytest.mark.parametrize("raid", ["seven-rockets", "mortars"])
def test_after_the_warm_up_a_raid_calls_nothing_new(raid: str, tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    text = (EXAMPLES / raid / "site.toml").read_text()
    site.write_text(text + '\n[[feed]]\nname = "radars"\nformat = "asterix"\nudp = "127.0.0.1:18600"\n')
    command = [sys.executable, "-c", CODE, str(site), str(EXAMPLES / raid / "plots.ndjson")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

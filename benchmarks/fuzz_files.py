"""The parsers of files for `benchmarks/fuzz_parsers.py`: what an operator, another system or a torn disk may give them.

A fault may be told as an `OpencramError`, and is counted as told; anything else that is raised is a failure.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from opencram.adapters.cap import CapBook, CapConfig, CapZone
from opencram.adapters.cap_check import check
from opencram.adapters.columns import load_column_map
from opencram.adapters.words import load_language
from opencram.config.scenario import parse_scenario
from opencram.config.site import parse_site
from opencram.config.study import parse_study
from opencram.earth.met.read import read_sounding
from opencram.earth.terrain_files import read_elevations
from opencram.errors import OpencramError
from opencram.messages import Warning
from opencram.runtime.configure import configure
from opencram.runtime.kept import MAGIC, Kept, KeptError, OnDisk, decode_state, encode_state, on_disk
from opencram.runtime.pipeline import initial

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "earth"))
import met_messages as met

Take = Callable[[bytes], tuple[int, int]]  # what came of an input: things taken, and faults told
T0 = 1_767_225_600_000_000_000

SITE = """[site]
name = "Camp"
latitude_deg = 12.65
longitude_deg = -7.95
height_m = 340.0
[[sensor]]
id = "mast"
latitude_deg = 12.65
longitude_deg = -7.95
range_std_m = 10.0
azimuth_std_mrad = 1.0
elevation_std_mrad = 1.0
range_max_m = 20000
period_s = 0.1
[[zone]]
id = "camp"
population = 90
shelter_time_s = 8.0
polygon = [[-7.951, 12.649], [-7.949, 12.649], [-7.949, 12.651]]
[[feed]]
name = "north"
format = "asterix"
udp = "239.1.2.3:8600"
[[outlet]]
name = "files"
kind = "cap-directory"
folder = "cap"
"""
SCENARIO = """[scenario]
name = "one"
seed = 1
start_time = "2026-01-01T00:00:00Z"
duration_s = 60.0
[[launch]]
name = "a"
time_s = 1.0
class = "rocket"
east_m = 5000.0
north_m = 0.0
aim_east_m = 60.0
aim_north_m = -40.0
elevation_deg = 24.0
"""
STUDY = """[study]
name = "s"
scenario = "scenario.toml"
runs = 10
seed = 1
[[salvo]]
name = "east"
class = "rocket"
count = 3
time_s = { uniform = [4.0, 6.0] }
elevation_deg = { uniform = [18.0, 32.0] }
from = [{ name = "a", east_m = 7600.0, north_m = 900.0, radius_m = 400.0 }]
aim = [{ name = "c", east_m = 0.0, north_m = 0.0, std_m = 150.0 }]
"""
COLUMNS = """[csv]
delimiter = ";"
date = "2026-01-01"
[time]
column = "t"
unit = "s_of_day"
[azimuth_deg]
column = "az"
unit = "mil"
scale = 1.0
"""
GRID = (
    "ncols 4\nnrows 3\nxllcorner -7.96\nyllcorner 12.64\ncellsize 0.01\nNODATA_value -9999\n" + "340 341 342 343\n" * 3
)
KML = """<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Placemark id="a"><name>A</name>
<ExtendedData><Data name="population"><value>5</value></Data><Data name="shelter_time_s"><value>9</value></Data>
</ExtendedData>
<Polygon><outerBoundaryIs><LinearRing><coordinates>
-7.95,12.65,0 -7.94,12.65,0 -7.94,12.66,0 -7.95,12.65,0</coordinates></LinearRing></outerBoundaryIs></Polygon>
</Placemark></Document></kml>"""
ZONES = SITE[: SITE.index("[[zone]]")] + '[zones]\nfile = "{name}"\n'


def told(work: Callable[[], object]) -> tuple[int, int]:
    """Return whether the work is done or its fault is told; anything else goes up."""
    try:
        work()
    except OpencramError as error:
        return 0, int(str(error) != "")
    return 1, 0


def text_taker(parse: Callable[[str], object]) -> Callable[[], Take]:
    return lambda: lambda data: told(lambda: parse(data.decode("utf-8", errors="replace")))


def file_taker(name: str, parse: Callable[[Path], object]) -> Callable[[], Take]:
    """Return what makes a parser of files: each input is written first, to memory where the system has such a place."""

    def make() -> Take:
        shared = Path("/dev/shm")
        folder = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else None))
        (folder / name).touch()

        def take(data: bytes) -> tuple[int, int]:
            (folder / name).write_bytes(data)
            return told(lambda: parse(folder / name))

        return take

    return make


def zones_of(path: Path) -> object:
    return parse_site(ZONES.format(name=path.name), path.with_name("site.toml"))


def features() -> bytes:
    ring = [[-7.95, 12.65], [-7.94, 12.65], [-7.94, 12.66], [-7.95, 12.65]]
    properties = {"id": "a", "name": "A", "population": 5, "shelter_time_s": 9.0}
    one = {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    return json.dumps({"type": "FeatureCollection", "features": [one]}).encode()


def alarms() -> list[bytes]:
    """Return the CAP messages of the life of an alarm."""
    zone = CapZone("z", "Block 1", (((33.3, 44.41), (33.3, 44.416), (33.305, 44.416)),))
    book = CapBook(CapConfig(sender="a@b.example", sender_name="A", languages=(load_language("en"),)), {"z": zone})
    made = []
    for k, state in enumerate(("issued", "updated", "cancelled")):
        message = book.take(
            Warning(
                t_ns=T0 + k * 10**9, alarm_id=1, zone="z", state=state, probability=0.5, impact_t_ns=T0 + 20 * 10**9,
                seconds_left=20.0 - k, advice="shelter", track_ids=(1,), expires_t_ns=T0 + 90 * 10**9, reason="",
            )
        )  # fmt: skip
        assert message is not None
        made.append(message.xml)
    return made


def cap_taker() -> Take:
    first = alarms()[:1]

    def take(data: bytes) -> tuple[int, int]:
        faults = check(data, earlier=first)
        assert all(isinstance(fault, str) for fault in faults)
        return int(not faults), len(faults)

    return take


def state_taker() -> Take:
    def take(data: bytes) -> tuple[int, int]:
        try:
            decode_state(data, OnDisk)
        except KeptError:
            return 0, 1
        return 1, 0

    return take


def body_taker() -> Take:
    """What is inside a state: as if somebody had made the hash fit."""

    def take(data: bytes) -> tuple[int, int]:
        body = MAGIC + data[len(MAGIC) : -32]
        return inner(body + hashlib.sha256(body).digest())

    inner = state_taker()
    return take


def states() -> list[bytes]:
    """Return the state of a run at its beginning."""
    book = CapBook(CapConfig(sender="a@b.example", sender_name="A", languages=(load_language("en"),)), {})
    kept = Kept(0, initial(configure(parse_site(SITE, "site.toml"))), book)
    return [encode_state(on_disk(kept, "0" * 64, 1))]


def soundings() -> list[bytes]:
    """Return a message of each kind, short ones: what is wrong in them is found sooner."""
    heights = [40.0, 200.0, 800.0, 2000.0, 5000.0]
    texts = [met.metcm(zones=5), met.csv(heights), met.igra(heights), met.wyoming(heights), met.temp()]
    return [text.encode() for text in texts]


def file_parsers() -> dict[str, tuple[Callable[[], Take], list[bytes]]]:
    """Return each parser with good input for it."""
    scenario_site = parse_site(SITE, "site.toml")
    return {
        "cap messages": (cap_taker, alarms()),
        "met messages": (text_taker(lambda text: read_sounding(text, "m", latitude_deg=12.0)), soundings()),
        "site file": (text_taker(lambda text: parse_site(text, "site.toml")), [SITE.encode()]),
        "scenario file": (
            text_taker(lambda text: parse_scenario(text, "scenario.toml", site=scenario_site)), [SCENARIO.encode()],
        ),
        "study file": (text_taker(lambda text: parse_study(text, "study.toml")), [STUDY.encode()]),
        "geojson zones": (file_taker("zones.geojson", zones_of), [features()]),
        "kml zones": (file_taker("zones.kml", zones_of), [KML.encode()]),
        "terrain grid": (
            file_taker("dem.asc", lambda path: read_elevations(path, (-7.96, 12.64, -7.92, 12.67))), [GRID.encode()],
        ),
        "column map": (file_taker("map.toml", load_column_map), [COLUMNS.encode()]),
        "language file": (
            file_taker("own.toml", lambda path: load_language(path.name, base=path.parent)),
            [(Path(load_language.__code__.co_filename).parent / "languages" / "en.toml").read_bytes()],
        ),
        "live state": (state_taker, states()),
        "live state, hash made to fit": (body_taker, states()),
    }  # fmt: skip

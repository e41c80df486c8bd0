"""A recorded data set scored: prediction error and containment against horizon."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final, TextIO

from opencram.adapters.columns import load_column_map
from opencram.adapters.readers import plot_reader
from opencram.adapters.stations import limits
from opencram.adapters.times import t_ns_from_rfc3339
from opencram.config.model import Site
from opencram.config.site import load_site, parse_site
from opencram.earth.geodesy import Frame, enu_from_ecef, enu_from_geodetic
from opencram.errors import FileError, NoPlotsError, UsageError
from opencram.evaluation.cases import believed
from opencram.evaluation.run import End, Flights, Row, ends_of, rows, samples
from opencram.messages import Message, Plot, Rejected
from opencram.recording import load_truth, read, read_header
from opencram.runtime import pipeline
from opencram.runtime.configure import configure
from opencram.runtime.shell import warm
from opencram.runtime.stations import stations


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What a data set came to.  `tracks`: all confirmed; `projectiles`: those with something to compare.

    `truth_rounds`: how many the truth file tells, `truth_matched`: how many of them some track was to land near; None
    without a truth file.

    `refusals`: why plots could not be used, most often first, each with how many and the first line of the file.
    """

    rows: tuple[Row, ...]
    tracks: int
    projectiles: int
    impacts_against: str
    truth_rounds: int | None
    truth_matched: int | None
    plots: int
    refusals: tuple[tuple[int, str], ...]

    @property
    def refused(self) -> int:
        """How many pieces of input were of no use."""
        return sum(count for count, _ in self.refusals)


_UNSORTED: Final = (
    "; if rows are not in the order of time, sort them, or write sort = true under [csv] of the column map"
)
_REMEDIES: Final = {"time_back": _UNSORTED, "late": _UNSORTED, "time_jump": _UNSORTED}


_PLACES: Final = ("impact_enu_m", "impact_ecef_m", "impact_latitude_deg")  # of a round in a truth file
_TRUTH_M_MAX: Final = 500_000.0  # from the site


class _Inputs:
    """Counts what passes: plots, and by code what was refused, with the words of the first."""

    def __init__(self) -> None:
        self.plots = 0
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def seen(self, messages: Iterable[Message]) -> Iterator[Message]:
        """Yield the messages, counted."""
        for message in messages:
            if isinstance(message, Plot):
                self.plots += 1
            elif isinstance(message, Rejected):
                line = "" if message.line is None else f"line {message.line}: "
                self._counts[message.code] += 1
                self._first.setdefault(message.code, line + message.reason)
            yield message

    def refusals(self) -> tuple[tuple[int, str], ...]:
        """Return how many were refused for each kind of reason, and the first of them, with what helps."""
        found = self._counts.most_common()
        return tuple((count, self._first[code] + _REMEDIES.get(code, "")) for code, count in found)


def scored(
    what: str,
    plots: str | None = None,
    *,
    columns: str | None = None,
    truth: str | None = None,
    horizons_s: tuple[float, ...] = (5.0, 10.0, 15.0, 20.0),
    stderr: TextIO,
) -> Scored:
    """Score a recording, or the plots of a site file.  `columns`: the column map of a CSV file; `truth`: its file."""
    is_site = what.endswith(".toml")
    if is_site and plots is None:
        raise UsageError("with a site give its plots: opencram evaluate SITE.toml --plots FILE")
    if not is_site and (plots is not None or columns is not None):
        raise UsageError("a recording holds its plots; give --plots and --columns with a site file")
    site, messages = _recorded(what) if plots is None else _processed(what, plots, columns)
    ends = None if truth is None else _truth(truth, site)
    warm(stderr, simulation=True)
    flights, inputs = Flights(), _Inputs()
    flights.take(inputs.seen(messages), {})
    if not inputs.plots:
        refusals = inputs.refusals()
        why = (
            f"{sum(count for count, _ in refusals)} lines refused, the first: {refusals[0][1]}"
            if refusals
            else "it is empty"
        )
        raise NoPlotsError(f"{plots or what}: no plot that could be used; {why}")
    env = believed(site)
    found = samples(flights, configure(site).tracking, env, ends, horizons_s=horizons_s)
    matched = {(each.east_m, each.north_m, each.t_ns) for each in ends_of(flights, env, ends).values()}
    return Scored(
        rows=tuple(rows(found)),
        tracks=len(flights.confirmed),
        projectiles=len({sample.track_id for sample in found}),
        impacts_against="the truth file"
        if ends is not None
        else "the last prediction of each track that was seen down",
        truth_rounds=None if ends is None else len(ends),
        truth_matched=None if ends is None else len(matched),
        plots=inputs.plots,
        refusals=inputs.refusals(),
    )


def _recorded(path: str) -> tuple[Site, Iterator[Message]]:
    header = read_header(path)
    return parse_site(header.site_toml, path), iter(read(path))


def _processed(what: str, plots: str, column_map: str | None) -> tuple[Site, Iterator[Message]]:
    site = load_site(what)
    columns = None if column_map is None else load_column_map(column_map)
    if not Path(plots).is_file():
        raise FileError(f"cannot read plots from {plots}: no such file; give the path of a file that exists")
    return site, _run(site, plots, columns)


def _run(site: Site, plots: str, columns: Any) -> Iterator[Message]:
    """Yield what goes into the pipeline and what comes out of it, in order."""

    known = stations(site)
    reader = plot_reader(plots, limits(known), columns, known)
    with Path(plots).open("rb") as file:
        read = chain.from_iterable(reader.read_stream(file))
        for batch, made in pipeline.run(configure(site), read):
            yield from batch
            yield from made


def _truth(path: str, site: Site) -> Sequence[End]:
    """Return where the rounds of a truth file came down; those that did not are left out."""
    ends = []
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    for number, entry in enumerate(load_truth(path).get("rounds") or ()):
        when = _get(entry, "impact_time")
        if when is None or not any(_get(entry, key) is not None for key in _PLACES):
            continue
        try:
            east, north = _place(entry, frame, site.ground_height_m)
            t_ns = t_ns_from_rfc3339(when)
            if not math.hypot(east, north) < _TRUTH_M_MAX:
                raise ValueError(f"is not within {_TRUTH_M_MAX / 1000.0:g} km of the site")
        except (TypeError, ValueError, LookupError) as error:
            raise FileError(
                f"{path}: rounds[{number}]: the place must be metres (impact_enu_m, impact_ecef_m) or degrees "
                f"(impact_latitude_deg, impact_longitude_deg), impact_time an RFC 3339 time ({error})"
            ) from error
        ends.append(End(east_m=east, north_m=north, t_ns=t_ns, class_name=str(_get(entry, "class") or "")))
    if not ends:
        raise FileError(
            f"{path} holds no round with impact_time and one of {', '.join(_PLACES)}; without --truth none is needed"
        )
    return ends


def _place(entry: Mapping[str, Any], frame: Frame, ground_height_m: float) -> tuple[float, float]:
    """Return east and north (m) of an impact, in whichever form it is given."""
    if entry.get("impact_enu_m") is not None:
        east, north = entry["impact_enu_m"][:2]
    elif entry.get("impact_ecef_m") is not None:
        east, north, _ = enu_from_ecef(frame, [float(value) for value in entry["impact_ecef_m"]])
    else:
        latitude, longitude = (float(entry[f"impact_{name}_deg"]) for name in ("latitude", "longitude"))
        if not (abs(latitude) <= 90.0 and abs(longitude) <= 360.0):
            raise ValueError(f"{latitude:g}, {longitude:g} is no place on the earth")
        east, north, _ = enu_from_geodetic(frame, math.radians(latitude), math.radians(longitude), ground_height_m)
    return float(east), float(north)


def _get(entry: Mapping[str, Any] | Any, key: str) -> Any:
    return entry.get(key) if isinstance(entry, dict) else None

"""Stone Soup on the plots of one radar: extended Kalman filter, global nearest neighbour, constant acceleration.

    python benchmarks/stonesoup_peer.py SITE PLOTS [--seconds S] [--events FILE]

Run by `process_speed.py` in an environment of its own.  Prints one JSON object: plots, tracks, seconds spent in
the tracker.  Reading the file and building the detections is not counted; in opencram it is.

The state is position, velocity and acceleration in the radar's own east-north-up frame.  Stone Soup measures
bearing from east, anticlockwise, and orders a measurement elevation, bearing, range: π/2 - azimuth here.
The set-up favours speed where it costs no tracks: a 2-D assignment on gated Mahalanobis distances instead of
the enumeration of all joint hypotheses, a track from five plots, dropped after one second without one.  (The
k-d tree associator of the same library was slower on these plots: 12.7 s against 8.0 s for the first 12 s.)
"""

import argparse
import datetime
import json
import math
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from stonesoup.dataassociator.neighbour import GNNWith2DAssignment
from stonesoup.deleter.time import UpdateTimeDeleter
from stonesoup.hypothesiser.distance import DistanceHypothesiser
from stonesoup.initiator.simple import MultiMeasurementInitiator
from stonesoup.measures import Mahalanobis
from stonesoup.models.measurement.nonlinear import CartesianToElevationBearingRange
from stonesoup.models.transition.linear import CombinedLinearGaussianTransitionModel, ConstantAcceleration
from stonesoup.predictor.kalman import KalmanPredictor
from stonesoup.tracker.simple import MultiTargetTracker
from stonesoup.types.angle import Bearing, Elevation
from stonesoup.types.array import StateVector
from stonesoup.types.detection import Detection
from stonesoup.types.state import GaussianState
from stonesoup.updater.kalman import ExtendedKalmanUpdater

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import truth  # the yardstick's own geodesy, to write tracks in the site's frame

POSITION = (0, 3, 6)
VELOCITY = (1, 4, 7)
ACCELERATION_STD = 5.0  # m/s² changed in a second: drag along a rocket's path, with room for the boost
GATE = 4.0  # standard deviations, over three dimensions

Dwell = tuple[datetime.datetime, set[Detection]]


def read_dwells(plots: Iterable[dict[str, Any]], sensor: dict[str, Any]) -> list[Dwell]:
    """Return the detections of one sensor, by time."""
    deviations = np.array(
        [sensor["elevation_std_mrad"] * 1e-3, sensor["azimuth_std_mrad"] * 1e-3, sensor["range_std_m"]]
    )
    model = CartesianToElevationBearingRange(ndim_state=9, mapping=POSITION, noise_covar=np.diag(deviations**2))
    dwells: dict[str, set[Detection]] = {}
    for plot in plots:
        when = datetime.datetime.fromisoformat(plot["time"]).replace(tzinfo=None)
        elevation = Elevation(math.radians(plot["elevation_deg"]))
        bearing = Bearing(math.pi / 2 - math.radians(plot["azimuth_deg"]))
        measured = StateVector([elevation, bearing, plot["range_m"]])
        dwells.setdefault(plot["time"], set()).add(Detection(measured, timestamp=when, measurement_model=model))
    return [(datetime.datetime.fromisoformat(when).replace(tzinfo=None), dwells[when]) for when in sorted(dwells)]


def tracker(dwells: Iterator[Dwell]) -> MultiTargetTracker:
    """Return the peer: five plots start a track, a second without one ends it."""
    transition = CombinedLinearGaussianTransitionModel([ConstantAcceleration(ACCELERATION_STD**2)] * 3)
    predictor = KalmanPredictor(transition)
    updater = ExtendedKalmanUpdater()
    hypothesiser = DistanceHypothesiser(predictor, updater, Mahalanobis(), missed_distance=GATE)
    associator = GNNWith2DAssignment(hypothesiser)
    variances = np.array([1.0, 300.0**2, 20.0**2] * 3)  # position comes from the plot
    prior = GaussianState(StateVector([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -9.8]), np.diag(variances))
    initiator = MultiMeasurementInitiator(
        prior,
        UpdateTimeDeleter(datetime.timedelta(seconds=0.35)),
        associator,
        updater,
        min_points=5,
    )
    return MultiTargetTracker(
        initiator=initiator,
        deleter=UpdateTimeDeleter(datetime.timedelta(seconds=1.0)),
        detector=dwells,
        data_associator=associator,
        updater=updater,
    )


def main() -> None:
    """Track, and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("site", type=Path)
    parser.add_argument("plots", type=Path)
    parser.add_argument("--seconds", type=float, help="use only the plots of the first seconds")
    parser.add_argument("--events", type=Path, help="write tracks as events, for tests/scoring.py")
    chosen = parser.parse_args()
    site = tomllib.loads(chosen.site.read_text())
    plots = truth.read_ndjson(chosen.plots)
    if chosen.seconds is not None:
        end_t_ns = truth.parse_t_ns(plots[0]["time"]) + round(chosen.seconds * 1e9)
        plots = [plot for plot in plots if truth.parse_t_ns(plot["time"]) <= end_t_ns]
    assert len(site["sensor"]) == 1, "one radar: its horizon is the frame"
    sensor = site["sensor"][0]
    dwells = read_dwells(plots, sensor)
    names: dict[str, int] = {}
    events: list[dict[str, Any]] = []
    spent_s = 0.0
    steps = iter(tracker(iter(dwells)))
    while True:
        start = time.perf_counter()
        step = next(steps, None)
        spent_s += time.perf_counter() - start
        if step is None:
            break
        for track in step[1]:
            number = names.setdefault(track.id, len(names) + 1)
            if chosen.events is not None:
                events.append(event(number, track, step[0], site["site"], sensor))
    if chosen.events is not None:
        chosen.events.write_text("".join(json.dumps(line) + "\n" for line in events))
    print(json.dumps({"plots": len(plots), "tracks": len(names), "seconds": spent_s}))


def event(number: int, track: Any, when: datetime.datetime, site: dict[str, Any], sensor: dict[str, Any]) -> Any:
    """Return a track as an event in the format of opencram, in the site's frame."""
    place = (sensor["latitude_deg"], sensor["longitude_deg"])
    local_m = np.array([float(track.state_vector[axis, 0]) for axis in POSITION])
    origin = (site["latitude_deg"], site["longitude_deg"], site["height_m"])
    position_ecef_m = truth.ecef_m(*place, sensor["height_m"]) + truth.enu_from_ecef(*place).T @ local_m
    position_enu_m = truth.enu_from_ecef(*origin[:2]) @ (position_ecef_m - truth.ecef_m(*origin))
    return {
        "type": "track",
        "time": when.isoformat(timespec="microseconds") + "Z",
        "track": number,
        "status": "confirmed",
        "position_enu_m": position_enu_m.tolist(),
        "classes": {"rocket": 1.0},
    }


if __name__ == "__main__":
    main()

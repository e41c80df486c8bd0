"""A plan on paper and in other programs: GeoTIFF, GeoJSON, PNG, words."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from opencram.config.model import Site
from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.errors import FileError, UsageError
from opencram.siting.placing import GUARANTEE
from opencram.siting.planning import LAYERS, Plan, SitingMap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
SUFFIXES: Final = (".tif", ".tiff", ".geojson", ".json", ".png")
_SECONDS_SHOWN: Final = (0.0, 5.0, 10.0, 15.0, 20.0, 30.0)


def write(plan: Plan, path: Path) -> Path:
    """Write the plan in the form that the name of the file asks for; raise `OpencramError` if it cannot be."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"--out {path}: must end with {', '.join(SUFFIXES)}")
    try:
        if suffix in (".tif", ".tiff"):
            _write_geotiff(plan, path)
        elif suffix == ".png":
            figure(plan).savefig(path, dpi=140)
        else:
            path.write_text(json.dumps(geojson(plan), ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error}); give another --out") from error
    return path


def shown(plan: Plan) -> SitingMap:
    """Return the map to draw: with what was chosen, where something was."""
    return plan.then or plan.now


def corners_deg(site: Site, grid: SitingMap) -> Floats:
    """Return longitude and latitude (4, 2) of the map's corners: south-west, south-east, north-east, north-west."""
    half = 0.5 * grid.cells.step_m
    west, east = float(grid.cells.east_m[0]) - half, float(grid.cells.east_m[-1]) + half
    south, north = float(grid.cells.north_m[0]) - half, float(grid.cells.north_m[-1]) + half
    return _degrees(site, np.array([[west, south], [east, south], [east, north], [west, north]]))


def _degrees(site: Site, places_m: Floats) -> Floats:
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    rows = geodetic_from_enu(frame, np.column_stack([places_m, np.zeros(len(places_m))]))
    parts = np.asarray(rows)
    latitude, longitude = (parts[:, 0], parts[:, 1]) if parts.shape[0] == len(places_m) else (parts[0], parts[1])
    return np.asarray(np.degrees(np.stack([longitude, latitude], axis=1)))


# ---- GeoTIFF --------------------------------------------------------------------------------------


def _write_geotiff(plan: Plan, path: Path) -> None:
    """Write one band a layer, in degrees: the map's frame is turned and scaled to them by one affine transform.

    Error: under a metre within 10 km of the site; cells are far larger.
    """
    try:
        import rasterio
        from rasterio.transform import Affine
    except ImportError as error:
        raise UsageError("rasterio is not installed: pip install 'opencram[terrain]'") from error
    grid = shown(plan)
    rows, columns = grid.cells.shape
    _, _, _, north_west = corners = corners_deg(plan.file.site, grid)
    across = (corners[2] - corners[3] + corners[1] - corners[0]) * 0.5 / columns
    down = (corners[0] - corners[3] + corners[1] - corners[2]) * 0.5 / rows
    place = Affine(across[0], down[0], north_west[0], across[1], down[1], north_west[1])
    head = {"driver": "GTiff", "width": columns, "height": rows, "count": len(LAYERS), "dtype": "float32"}
    with rasterio.open(path, "w", **head, crs="EPSG:4326", transform=place, nodata=math.nan, compress="deflate") as out:
        for band, name in enumerate(LAYERS, start=1):
            out.write(grid.layers[name][::-1].astype(np.float32), band)
            out.set_band_description(band, name)
        out.update_tags(site=plan.file.site.name, plan_sha256=plan.file.sha256, radars=", ".join(grid.radars))


# ---- GeoJSON --------------------------------------------------------------------------------------


def geojson(plan: Plan) -> dict[str, Any]:
    """Return cells with their values, radars, sirens, threats, and what was chosen."""
    grid, site = shown(plan), plan.file.site
    features = [_cell(site, grid, row, column) for row, column in np.ndindex(*grid.cells.shape)]
    for sensor in (*site.sensors, *plan.file.radar_candidates):
        place = [math.degrees(sensor.longitude_rad), math.degrees(sensor.latitude_rad)]
        features.append(_point(place, {"kind": "radar", "id": sensor.id, "stands": sensor.id in grid.radars}))
    for siren in (*plan.file.sirens, *plan.file.siren_candidates):
        [place] = _degrees(site, np.array([[siren.east_m, siren.north_m]])).tolist()
        told = {"kind": "siren", "id": siren.id, "stands": siren.id in grid.sirens, "radius_m": siren.radius_m}
        features.append(_point(place, told))
    return {"type": "FeatureCollection", "features": features}


def _cell(site: Site, grid: SitingMap, row: int, column: int) -> dict[str, Any]:
    half, east, north = 0.5 * grid.cells.step_m, grid.cells.east_m[column], grid.cells.north_m[row]
    ring = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)], dtype=np.float64) * half + (east, north)
    values = {name: _plain(float(layer[row, column])) for name, layer in grid.layers.items()}
    late = values["seconds"] is not None and values["seconds"] < grid.enough_s
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [np.round(_degrees(site, ring), 7).tolist()]},
        "properties": {"kind": "cell", "late": late, "people": round(float(grid.people[row, column]), 1)} | values,
    }


def _point(place: list[float], properties: dict[str, Any]) -> dict[str, Any]:
    geometry = {"type": "Point", "coordinates": [round(x, 7) for x in place]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _plain(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None


# ---- picture --------------------------------------------------------------------------------------


def figure(plan: Plan) -> "Figure":
    """Return the picture: seconds of warning, and the bound of the impact error; grey steps and hatching, no colour."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError("matplotlib is not installed: pip install 'opencram[plots]'") from error
    grid = shown(plan)
    picture = Figure(figsize=(11.0, 5.2), layout="constrained")
    left, right = picture.subplots(1, 2, sharey=True)
    _draw_seconds(left, grid)
    _draw_error(right, grid)
    for axes in (left, right):
        _draw_things(axes, plan)
        axes.set_aspect("equal")
        axes.set_xlabel("east of the site, km")
    left.set_ylabel("north of the site, km")
    picture.suptitle(f"{plan.file.site.name}: {_radars_and_sirens(grid)}", fontsize=11)
    return picture


def _edges_km(grid: SitingMap) -> tuple[Floats, Floats]:
    half = 0.5 * grid.cells.step_m
    east = np.append(grid.cells.east_m - half, grid.cells.east_m[-1] + half)
    north = np.append(grid.cells.north_m - half, grid.cells.north_m[-1] + half)
    return east / 1e3, north / 1e3


def _draw_seconds(axes: Any, grid: SitingMap) -> None:
    from matplotlib.colors import BoundaryNorm, ListedColormap

    seconds = np.ma.masked_invalid(np.maximum(grid.layers["seconds"], 0.0))
    greys = ListedColormap(["0.4", "0.52", "0.64", "0.76", "0.87", "1.0"])  # never so dark that a sign is lost
    drawn = axes.pcolormesh(*_edges_km(grid), seconds, cmap=greys, norm=BoundaryNorm([*_SECONDS_SHOWN, 60.0], 6))
    late = np.ma.masked_where(~(grid.layers["seconds"] < grid.enough_s), np.ones(grid.cells.shape))
    hatched = axes.pcolor(*_edges_km(grid), late)
    hatched.set(facecolor="none", edgecolor="black", linewidth=0.0, hatch="///")
    axes.figure.colorbar(drawn, ax=axes, label="seconds of warning, worst threat", shrink=0.85)
    axes.set_title(f"Seconds of warning (hatched: under {grid.enough_s:g} s)", fontsize=10)


def _draw_error(axes: Any, grid: SitingMap) -> None:
    errors = np.ma.masked_invalid(grid.layers["error_m"])
    drawn = axes.pcolormesh(
        *_edges_km(grid),
        errors,
        cmap="gray_r",
        vmin=0.0,
        vmax=1.8 * float(errors.max() if errors.count() else 1.0),
        edgecolor="none",
    )
    axes.figure.colorbar(drawn, ax=axes, label="least impact error 10 s before, m", shrink=0.85)
    axes.set_title("Bound of the impact error (DRMS)", fontsize=10)


def _draw_things(axes: Any, plan: Plan) -> None:
    from opencram.siting.flights import radars_of

    grid, site = shown(plan), plan.file.site
    west, east = (float(x) / 1e3 for x in (grid.cells.east_m[0], grid.cells.east_m[-1]))
    south, north = (float(x) / 1e3 for x in (grid.cells.north_m[0], grid.cells.north_m[-1]))
    white = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8}
    everyone = (*site.sensors, *plan.file.radar_candidates)
    for radar in radars_of(site, everyone, 0.0):
        at = radar.position_enu_m[0] / 1e3, radar.position_enu_m[1] / 1e3
        stands = radar.id in grid.radars
        axes.plot(*at, "^", ms=9, mfc="black" if stands else "white", mec="white" if stands else "black", mew=1.0)
        if west <= at[0] <= east and south <= at[1] <= north:
            axes.annotate(radar.id, at, (6, 4), textcoords="offset points", fontsize=8, bbox=white)
    for siren in (*plan.file.sirens, *plan.file.siren_candidates):
        at = siren.east_m / 1e3, siren.north_m / 1e3
        stands = siren.id in grid.sirens
        axes.plot(*at, "o", ms=6, mfc="black" if stands else "white", mec="white" if stands else "black")
        if stands:
            turn = np.linspace(0.0, 2.0 * np.pi, 90)
            r = siren.radius_m / 1e3
            axes.plot(at[0] + r * np.cos(turn), at[1] + r * np.sin(turn), "k--", lw=0.8)
    edges = _edges_km(grid)
    axes.set_xlim(edges[0][0], edges[0][-1])
    axes.set_ylim(edges[1][0], edges[1][-1])


def _radars_and_sirens(grid: SitingMap) -> str:
    sirens = f"; sirens {', '.join(grid.sirens)}" if grid.sirens else ""
    return f"radars {', '.join(grid.radars) or 'none'}{sirens}"


# ---- words ----------------------------------------------------------------------------------------


def lines(plan: Plan) -> list[str]:
    """Return the plan in words, a line each."""
    said = [f"{plan.file.site.name}, as it stands: {_told(plan.now)}"]
    for each in plan.placements:
        said.append(f"Best {each.kind}s of {each.candidates} candidates, in order: {', '.join(each.names)}.")
        text = f"   Worth {each.choice.worth[-1]:.4g}; {each.choice.certified:.1%} of the best possible for certain"
        said.append(f"{text} ({GUARANTEE:.0%} in any case).")
        if each.best is not None:
            share = each.choice.worth[-1] / each.best.worth[-1] if each.best.worth[-1] > 0.0 else 1.0
            said.append(f"   Exhaustive search: {each.best.worth[-1]:.4g}; greedy choice reaches {share:.2%} of it.")
    if any(each.kind == "siren" for each in plan.placements) and not plan.file.sirens:
        said.append("No siren stands now, so all were taken to hear; with sirens only those within reach of one are.")
    if plan.then is not None:
        said.append(f"With them: {_told(plan.then)}")
    return said


def _told(grid: SitingMap) -> str:
    seconds = grid.layers["seconds"]
    reached = seconds[np.isfinite(seconds)]
    if not len(reached):
        return "no threat gets to any cell of the map."
    late, never = float((reached < grid.enough_s).mean()), float((reached < 0.0).mean())
    errors = grid.layers["error_m"]
    known = errors[np.isfinite(errors)]
    error = ""
    if len(known):
        error = f"; least impact error 10 s before: {np.median(known):.0f} m (worst cell {known.max():.0f} m)"
    usual = float(np.median(np.maximum(reached, 0.0)))
    return (
        f"{_radars_and_sirens(grid)}. Warning from the worst threat: {usual:.0f} s at the median cell; "
        f"under {grid.enough_s:g} s in {late:.0%} of the cells, none in {never:.0%}; "
        f"{grid.people_late:.0f} people live there{error}."
    )


def as_json(plan: Plan) -> dict[str, Any]:
    """Return the plan's figures, for other programs."""
    return {
        "site": plan.file.site.name,
        "enough_s": plan.file.enough_s,
        "people_late_now": round(plan.now.people_late, 1),
        "people_late_then": None if plan.then is None else round(plan.then.people_late, 1),
        "placements": [
            {
                "kind": each.kind,
                "chosen": list(each.names),
                "worth": list(each.choice.worth),
                "bound": each.choice.bound,
                "certified_share": each.choice.certified,
                "exhaustive_worth": None if each.best is None else each.best.worth[-1],
            }
            for each in plan.placements
        ],
    }

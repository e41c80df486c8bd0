"""Sections 6 to 8: the predictions against time, sensors and input, and what made the log."""

import math
from collections.abc import Sequence

from opencram.report.catalogue import Catalogue
from opencram.report.collect import Estimate
from opencram.report.facts import Facts, TrackFacts
from opencram.report.formats import DASH, clock, count, day, median, metres, percent, seconds, wilson_95
from opencram.report.geometry import ellipse_95
from opencram.report.markup import Child, Markup, el, join
from opencram.report.svg_charts import FINE_TRACKS, convergence_svg, curves, sensor_strip
from opencram.report.svg_close import ROUNDS_MAX, close_ups
from opencram.report.tables import Column, folded, table

SECONDS_BEFORE = (20, 15, 10, 8, 5, 3, 2, 1)


def prediction(facts: Facts, say: Catalogue) -> Markup:
    """Return section 6."""
    tracks = facts.projectiles
    sizes = curves(tracks, lambda _, estimate: estimate.drms_m)
    if not sizes:
        return el("p", say("prediction.none"), class_="empty")
    errors = curves(tracks, TrackFacts.error_m) if facts.truth is not None else []
    lead = say("prediction.lead" if len(sizes) <= FINE_TRACKS else "prediction.lead_many")
    if facts.truth is None:
        lead = f"{lead} {say('prediction.no_truth')}"
    pictures = [(key, convergence_svg(drawn, key, say)) for key, drawn in (("size", sizes), ("error", errors))]
    small = close_ups(facts, say)
    more = sum(1 for track in tracks if track.final) - ROUNDS_MAX
    close_lead = say("close.lead", truth=say("close.truth") if facts.truth is not None else "")
    if more > 0:
        close_lead = f"{close_lead} {say('close.more', count=more)}"
    return join(
        el("p", lead, class_="lead"),
        el(
            "div",
            *(
                el("figure", el("figcaption", say(f"{key}.title")), el("div", picture, class_="scroll"))
                for key, picture in pictures
                if picture is not None
            ),
            class_="pair",
        ),
        _by_time(facts, say),
        folded(say("prediction.rows"), _by_track(facts, say)),
        el("p", close_lead, class_="lead close-lead"),
        el("div", *small, class_="closes"),
        _launches(facts, say),
    )


def _launches(facts: Facts, say: Catalogue) -> Markup | None:
    """Return the areas that the rounds came from: coarse, and only of those that have come down."""
    if not facts.launches:
        return None
    columns = [
        Column(say("col.tracks")),
        Column(say("launch.from")),
        Column(say("launch.centre"), is_number=True),
        Column(say("launch.radius"), is_number=True),
    ]
    rows: list[list[Child]] = []
    for each in facts.launches:
        distance_m = math.hypot(each.area.east_m, each.area.north_m)
        sector = round(math.atan2(each.area.east_m, each.area.north_m) / (math.pi / 8.0)) % 16
        rows.append(
            [
                ", ".join(map(str, each.track_ids)),
                say("launch.place", distance=metres(distance_m), direction=say(f"compass.{sector}")),
                say("launch.degrees", latitude=f"{each.latitude_deg:.2f}", longitude=f"{each.longitude_deg:.2f}"),
                metres(each.area.radius_m),
            ]
        )
    return join(
        el("h3", say("launch.title")),
        el("p", say("launch.lead"), class_="lead"),
        table(say("launch.title"), columns, rows),
    )


def _by_time(facts: Facts, say: Catalogue) -> Markup:
    """Return medians and coverage at whole seconds before the impact."""
    with_truth = facts.truth is not None
    columns = [
        Column(say("col.before")),
        Column(say("col.n"), is_number=True),
        Column(say("col.size"), is_number=True),
    ]
    if with_truth:
        columns += [Column(say(f"col.{name}"), is_number=True) for name in ("error", "error_max", "held")]
    rows: list[list[Child]] = []
    for before_s in SECONDS_BEFORE:
        judged = [(t, e) for t in facts.projectiles if (e := t.estimate_at(float(before_s))) is not None]
        if not judged:
            continue
        row: list[Child] = [
            f"{before_s}\N{NO-BREAK SPACE}s",
            count(len(judged)),
            metres(median([e.drms_m for _, e in judged])),
        ]
        if with_truth:
            errors = [error for t, e in judged if (error := t.error_m(e)) is not None]
            held = [held for t, e in judged if (held := t.held(e)) is not None]
            row += [
                metres(median(errors)) if errors else DASH,
                metres(max(errors)) if errors else DASH,
                _share(sum(held), len(held)),
            ]
        rows.append(row)
    return table(say("prediction.table"), columns, rows)


def _share(held: int, n: int) -> str:
    if n == 0:
        return DASH
    low, high = wilson_95(held, n)
    return f"{held}/{n} ({percent(low)}–{percent(high)})"


def _by_track(facts: Facts, say: Catalogue) -> Markup:
    with_truth = facts.truth is not None
    columns = [
        Column(say("col.track")),
        *(
            Column(say(f"col.{name}"), is_number=True)
            for name in ("before", "time", "east", "north", "size_one", "ellipse")
        ),
    ]
    if with_truth:
        columns += [Column(say("col.error_one"), is_number=True), Column(say("col.held_one"))]
    rows: list[list[Child]] = []
    for track in facts.projectiles:
        for before_s in SECONDS_BEFORE:
            estimate = track.estimate_at(float(before_s))
            if estimate is not None:
                rows.append(_estimate_row(track, estimate, before_s, with_truth, say))
    return table(say("prediction.rows"), columns, rows)


def _estimate_row(
    track: TrackFacts, estimate: Estimate, before_s: int, with_truth: bool, say: Catalogue
) -> list[Child]:
    row: list[Child] = [
        str(track.track_id),
        f"{before_s}\N{NO-BREAK SPACE}s",
        clock(estimate.t_ns),
        _whole_metres(estimate.east_m),
        _whole_metres(estimate.north_m),
        metres(estimate.drms_m),
        _axes(estimate),
    ]
    if with_truth:
        held = track.held(estimate)
        row += [metres(track.error_m(estimate)), DASH if held is None else say("yes" if held else "no")]
    return row


def _axes(estimate: Estimate) -> str:
    ellipse = ellipse_95(estimate.east_m, estimate.north_m, estimate.covariance_m2)
    return f"{metres(ellipse.major_m)} × {metres(ellipse.minor_m)}" if ellipse else DASH


def _whole_metres(value: float) -> str:
    return f"{count(value)} m"


# ---- sensors --------------------------------------------------------------------------------------


def sensors(facts: Facts, say: Catalogue) -> Markup:
    """Return section 7."""
    return join(_sensor_table(facts, say), *_rejections(facts, say), *_health(facts, say))


def _sensor_table(facts: Facts, say: Catalogue) -> Markup:
    if not facts.sensors:
        return el("p", say("sensors.none"), class_="empty")
    columns = [
        Column(say("col.sensor")),
        *(Column(say(f"col.{name}"), is_number=True) for name in ("plots", "used", "rejected", "first", "last", "gap")),
        Column(say("col.rate")),
    ]
    rows: list[list[Child]] = []
    for sensor in facts.sensors:
        share = f" ({percent(sensor.used / sensor.plots)})" if sensor.plots else ""
        rows.append(
            [
                sensor.id,
                count(sensor.plots),
                count(sensor.used) + share,
                count(sensor.rejected),
                clock(sensor.first_t_ns),
                clock(sensor.last_t_ns),
                seconds(sensor.longest_gap_s),
                sensor_strip(sensor, facts.start_t_ns, say) or DASH,
            ]
        )
    return join(el("p", say("sensors.lead"), class_="lead"), table(say("section.sensors"), columns, rows))


def _rejections(facts: Facts, say: Catalogue) -> list[Markup]:
    title = el("h3", say("rejected.title"))
    if not facts.rejections:
        return [title, el("p", say("rejected.none"))]
    columns = [
        Column(say("col.code")),
        Column(say("col.count"), is_number=True),
        Column(say("col.examples"), wide=True),
    ]
    rows: list[list[Child]] = []
    for entry in facts.rejections:
        examples = []
        for line, sensor, reason in entry.examples:
            where = [say("rejected.line", line=line)] if line is not None else []
            where += [sensor] if sensor else []
            told = say.logged(reason)
            examples.append(el("li", f"{', '.join(where)}: {told}" if where else told))
        rows.append([entry.code, count(entry.count), el("ul", *examples, class_="plain")])
    return [title, table(say("rejected.title"), columns, rows)]


def _health(facts: Facts, say: Catalogue) -> list[Markup]:
    title = el("h3", say("health.list"))
    if not facts.health:
        return [title, el("p", say("health.none"))]
    columns = [Column(say("col.time")), *(Column(say(f"col.{name}")) for name in ("part", "state"))]
    columns.append(Column(say("col.reason"), wide=True))
    rows: list[list[Child]] = [
        [clock(h.t_ns), h.part, say(f"health.{h.state}"), say.logged(h.reason)] for h in facts.health
    ]
    return [title, table(say("health.list"), columns, rows)]


# ---- appendix -------------------------------------------------------------------------------------


def appendix(facts: Facts, say: Catalogue) -> Markup:
    """Return section 8."""
    limits = ["log", "thin", "flat", "people", "truth" if facts.truth is not None else "no_truth", "model", "launch"]
    return join(
        el("h3", say("appendix.made")),
        _made(facts, say),
        el("h3", say("appendix.limits")),
        el("ul", *(el("li", say(f"limit.{name}")) for name in limits), class_="limits"),
        folded(say("appendix.tracks"), _all_tracks(facts, say)),
        folded(say("appendix.site"), el("pre", facts.header.site_toml if facts.header else "")),
    )


def _made(facts: Facts, say: Catalogue) -> Markup:
    header, plan = facts.header, facts.plan
    source = say(f"source.{header.source if header else 'unknown'}")
    listed: list[tuple[str, str | None]] = [
        ("version", f"opencram {header.program_version}" if header else None),
        ("commit", header.commit if header else None),
        ("schema", str(header.schema_version) if header else None),
        ("source", source),
        ("site_hash", header.site_sha256 if header else None),
        ("scenario_hash", header.scenario_sha256 if header else None),
        ("seed", str(header.seed) if header and header.scenario_sha256 else None),
        ("from", f"{day(facts.start_t_ns)} {clock(facts.start_t_ns)}"),
        ("to", f"{day(facts.end_t_ns)} {clock(facts.end_t_ns)}"),
        ("origin", _origin(facts)),
        ("policy", say("field.policy_value", protect=plan.protect, mode=plan.mode) if plan.protect else None),
        ("threshold", percent(plan.warning_probability) if plan.warning_probability is not None else None),
        ("hazard", metres(plan.hazard_radius_m)),
        ("dwell", seconds(plan.dwell_s) if plan.dwell_s is not None else None),
    ]
    pairs = [(el("dt", say(f"field.{name}")), el("dd", value)) for name, value in listed if value]
    return el("dl", *(el("div", *pair) for pair in pairs), class_="made")


def _origin(facts: Facts) -> str | None:
    if facts.plan.latitude_deg is None or facts.plan.longitude_deg is None:
        return None
    return f"{facts.plan.latitude_deg:.5f}°, {facts.plan.longitude_deg:.5f}°"


def _all_tracks(facts: Facts, say: Catalogue) -> Markup:
    columns = [
        Column(say("col.track")),
        Column(say("col.class")),
        *(Column(say(f"col.{name}"), is_number=True) for name in ("probability", "plots", "first", "confirmed")),
        *(Column(say(f"col.{name}"), is_number=True) for name in ("predicted", "ellipse", "true", "impact")),
        Column(say("col.round"), is_number=True),
        Column(say("col.end")),
    ]
    rows = [_track_row(track, say) for track in (*facts.projectiles, *facts.others)]
    return table(say("appendix.tracks"), columns, rows)


def _track_row(track: TrackFacts, say: Catalogue) -> Sequence[Child]:
    true = track.truth.impact if track.truth else None
    return [
        str(track.track_id),
        say("class." + track.class_name),
        percent(track.class_probability),
        count(track.plots),
        clock(track.first_t_ns),
        clock(track.confirmed_t_ns),
        _place(track.final.east_m, track.final.north_m) if track.final else DASH,
        _axes(track.final) if track.final else DASH,
        _place(*true) if true else DASH,
        clock(track.end_t_ns) if track.final else DASH,
        str(track.truth.number) if track.truth else DASH,
        say(f"end.{track.drop_reason}"),
    ]


def _place(east_m: float, north_m: float) -> str:
    return f"{count(east_m)}, {count(north_m)} m"

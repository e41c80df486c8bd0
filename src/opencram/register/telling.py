"""The register in words: lists, one raid, months; each in the three languages."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from opencram.register.model import Fall, Raid, Report, WarnedZone, contradictions
from opencram.register.words import say

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BAR = 40  # characters of the longest bar
MONTHS_MAX = 600


def time_of(t_ns: int) -> datetime:
    """Return a UTC time, to the microsecond."""
    return _EPOCH + timedelta(microseconds=t_ns // 1000)


def listed(raids: Sequence[Raid], reports: Sequence[int], language: str) -> list[str]:
    """Return raids, a line each, and what they come to.  `reports`: how many there are of each."""
    if not raids:
        return [say(language, "none")]
    lines = [_row(raid, count, language) for raid, count in zip(raids, reports, strict=True)]
    return [*lines, "", total(raids, language)]


def total(raids: Sequence[Raid], language: str) -> str:
    """Return how many raids there were, in how many months."""
    rounds = sum(len(raid.falls) for raid in raids)
    return say(language, "total", raids=len(raids), rounds=rounds, months=len(by_month(raids)))


def by_month(raids: Sequence[Raid]) -> list[tuple[str, int, int]]:
    """Return month, raids and rounds of every month from the first raid to the last, those without one included."""
    if not raids:
        return []
    counted = Counter(f"{time_of(raid.start_t_ns):%Y-%m}" for raid in raids)
    rounds: Counter[str] = Counter()
    for raid in raids:
        rounds[f"{time_of(raid.start_t_ns):%Y-%m}"] += len(raid.falls)
    first, last = time_of(raids[0].start_t_ns), time_of(raids[-1].start_t_ns)
    count = min((last.year - first.year) * 12 + last.month - first.month + 1, MONTHS_MAX)
    months = []
    for k in range(count):
        year, month = divmod(first.year * 12 + first.month - 1 + k, 12)
        name = f"{year:04d}-{month + 1:02d}"
        months.append((name, counted[name], rounds[name]))
    return months


def chart(raids: Sequence[Raid], language: str) -> list[str]:
    """Return a bar for each month."""
    months = by_month(raids)
    most = max((count for _, count, _ in months), default=1)
    lines = [f"{name}  {'█' * round(_BAR * count / most) if count else ''} {count}" for name, count, _ in months]
    return [say(language, "by_month"), *lines, "", total(raids, language) if raids else say(language, "none")]


def shown(raid: Raid, reports: tuple[Report, ...], language: str) -> list[str]:
    """Return one raid whole: its rounds, its zones, and what people reported, side by side."""
    lines = [_row(raid, len(reports), language), ""]
    lines += [_fall(fall, language) for fall in raid.falls]
    if raid.zones:
        lines += ["", f"{say(language, 'zones')}:", *(_zone(zone, language) for zone in raid.zones)]
    if reports:
        lines += ["", f"{say(language, 'said')}:", *(_report(each, language) for each in reports)]
    for name, said in contradictions(reports).items():
        told = "; ".join(say(language, "says", source=source, value=value) for source, value in said)
        lines.append(f"{say(language, 'contradict')} «{say(language, name)}»: {told}")
    return lines


def _row(raid: Raid, reports: int, language: str) -> str:
    comma = _comma(language)
    classes = comma.join(f"{count} × {say(language, name)}" for name, count in raid.classes.items())
    where = comma.join(raid.districts) or "–"
    parts = [
        f"{say(language, 'raid')} {raid.raid}",
        f"{time_of(raid.start_t_ns):%Y-%m-%d %H:%M:%S}",
        raid.site,
        say(language, raid.source),
        classes or "–",
        f"{say(language, 'down')} {raid.down}{comma}{say(language, 'shot_down')} {raid.shot_down}",
        where,
        f"{say(language, 'warned')} {raid.people_warned}",
    ]
    if raid.lead_s is not None:
        parts.append(f"{say(language, 'lead')} {say(language, 'seconds', s=f'{raid.lead_s:.0f}')}")
    if reports:
        parts.append(f"{say(language, 'reports')} {reports}")
    return " · ".join(parts)


def _fall(fall: Fall, language: str) -> str:
    seen = ""
    if fall.from_octant:
        far = say(language, "far", km=f"{fall.from_m / 1000.0:g}")
        seen = f"{say(language, 'from')}: {say(language, fall.from_octant)}{_comma(language)}{far}"
    place = fall.district or say(language, "outside")
    decided = dict(fall.reasons).get(language, fall.reason) or say(language, fall.action)
    parts = [f"{time_of(fall.t_ns):%H:%M:%S}", say(language, fall.class_name), say(language, fall.ended), place]
    return "   " + " · ".join([*parts, *filter(None, (seen, decided))])


def _zone(zone: WarnedZone, language: str) -> str:
    if not zone.needed:
        verdict = say(language, "needless")
    elif zone.lead_s is None:
        verdict = say(language, "unwarned")
    else:
        timely = "in_time" if zone.in_time else "late"
        verdict = f"{say(language, 'seconds', s=f'{zone.lead_s:.1f}')}{_comma(language)}{say(language, timely)}"
    return f"   {zone.name}: {zone.people} {say(language, 'people')}{_comma(language)}{verdict}"


def _report(report: Report, language: str) -> str:
    numbers = [
        f"{say(language, name)} {value}"
        for name in ("rounds", "killed", "injured")
        if (value := getattr(report, name)) is not None
    ]
    parts = [report.source, report.time, report.district, _comma(language).join(numbers), report.text]
    return "   " + " · ".join(filter(None, parts))


def _comma(language: str) -> str:
    return "، " if language == "ar" else ", "

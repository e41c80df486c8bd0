"""Districts and expired alarms in the report and on the plain view: named for what they are, and counted once."""

import msgspec
from report_raid import SECOND, raid, site_toml

from opencram import messages as m
from opencram.config.site import parse_site
from opencram.report.after_action import render
from opencram.report.facts import Facts, gather
from opencram.runtime.views import EventLines

DISTRICT = '\n[[district]]\nid = "east"\nname = "East bank"\n'


def facts_of(messages: list[m.Message]) -> Facts:
    return gather(messages, None)


def district_alarm(messages: list[m.Message]) -> list[m.Message]:
    """The messages with a district's alarm beside those of its first zone."""
    first = next(each for each in messages if isinstance(each, m.Warning))
    out: list[m.Message] = []
    for each in messages:
        out.append(each)
        if isinstance(each, m.Warning) and each.zone == first.zone:
            out.append(msgspec.structs.replace(each, zone="east", alarm_id=900, zones=(first.zone,)))
    return out


def test_a_district_is_no_zone_and_has_a_table_of_its_own() -> None:
    plain = raid(site=site_toml() + DISTRICT)
    messages = district_alarm(plain)
    facts, without = facts_of(messages), facts_of(plain)
    assert [zone.id for zone in facts.zones] == [zone.id for zone in without.zones]
    (district,) = facts.districts
    assert (district.id, district.name) == ("east", "East bank")
    assert len(district.zone_ids) == 1
    assert district.alarms[0].issued_t_ns == facts.zones[0].first_issued_t_ns
    page = render(messages, None)
    assert "East bank" in page
    assert "Districts in alarm" in page
    assert "Districts in alarm" not in render(plain, None)


def test_an_expired_alarm_ended_when_it_had_said_it_would() -> None:
    messages = raid()
    last = [each for each in messages if isinstance(each, m.Warning)][-1]
    lapsed = msgspec.structs.replace(
        last, t_ns=last.expires_t_ns + 500 * SECOND, state="expired", advice="none", reason="nothing was heard"
    )
    zone = next(zone for zone in facts_of([*messages, lapsed]).zones if zone.id == last.zone)
    assert zone.alarms[-1].end == "expired"
    assert zone.alarms[-1].end_t_ns == last.expires_t_ns
    page = render([*messages, lapsed], None)
    assert "expired" in page
    (line,) = EventLines(parse_site(site_toml(), "site.toml")).lines([], [lapsed])
    assert "EXPIRED" in line

"""CAP 1.2: valid against the schema, right by our own rules, and an exercise unless three things say otherwise."""

import math
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.adapters.cap import CapBook, CapConfig, CapZone, cap_time
from opencram.adapters.cap_check import check, order_faults, parse
from opencram.adapters.times import t_ns_from_rfc3339
from opencram.adapters.words import SHIPPED, load_language
from opencram.errors import ConfigError
from opencram.messages import Warning

SCHEMA = Path(__file__).parent / "data" / "CAP-v1.2.xsd"
T0 = t_ns_from_rfc3339("2026-01-01T12:00:00.700000Z")
ZONES = {
    "z1": CapZone("z1", "Karrada, block 3 <north> & more", (((33.3, 44.41), (33.3, 44.416), (33.305, 44.416)),)),
    "z2": CapZone("z2", "Block 2", (((33.2, 44.41), (33.2, 44.416), (33.205, 44.416), (33.2, 44.41)),)),
}
LANGUAGES = tuple(load_language(tag) for tag in SHIPPED)
NS = "{urn:oasis:names:tc:emergency:cap:1.2}"


def config(**changes) -> CapConfig:
    values = {"sender": "siren@site.example", "sender_name": "Site", "languages": LANGUAGES}
    return CapConfig(**(values | changes))


def warning(k: int = 0, **changes) -> Warning:
    values = {
        "t_ns": T0 + k * 500_000_000,
        "alarm_id": 1,
        "zone": "z1",
        "state": "issued",
        "probability": 0.71,
        "impact_t_ns": T0 + 21 * 10**9,
        "seconds_left": 21.0 - 0.5 * k,
        "advice": "shelter",
        "track_ids": (3,),
        "expires_t_ns": T0 + 681 * 10**9,
        "reason": "71 %",
    }
    return Warning(**(values | changes))


def life(*states: str) -> list[Warning]:
    ends = {"cancelled": {"advice": "none"}, "all_clear": {"advice": "none", "seconds_left": 0.0}}
    return [warning(k, state=state, **ends.get(state, {})) for k, state in enumerate(states)]


def told(book: CapBook, warnings: list[Warning]) -> list[bytes]:
    return [message.xml for message in map(book.take, warnings) if message is not None]


@pytest.mark.parametrize("end", ["cancelled", "all_clear"])
def test_the_life_of_an_alarm_is_right_by_schema_and_rules(end: str) -> None:
    messages = told(CapBook(config(), ZONES), life("issued", "updated", "updated", end))
    assert len(messages) == 4
    for k, xml in enumerate(messages):
        assert check(xml, earlier=messages[:k], schema=SCHEMA) == []
        assert order_faults(xml, 33.3, 44.4) == []
    kinds = [parse(xml).findtext(f"{NS}msgType") for xml in messages]
    assert kinds == ["Alert", "Update", "Update", "Cancel" if end == "cancelled" else "Update"]
    last = parse(messages[-1])
    assert len(last.findtext(f"{NS}references").split()) == 3
    assert [info.findtext(f"{NS}language") for info in last.findall(f"{NS}info")] == list(SHIPPED)
    response = last.find(f"{NS}info").findtext(f"{NS}responseType")
    assert response == ("None" if end == "cancelled" else "AllClear")


def test_a_message_is_written_the_same_whatever_else_is_written_as_xml() -> None:
    before = told(CapBook(config(), ZONES), life("issued"))
    ElementTree.register_namespace("", "http://www.w3.org/2005/Atom")
    assert told(CapBook(config(), ZONES), life("issued")) == before
    assert b"<status>" in before[0]


def test_identifiers_differ_and_come_from_the_warnings_alone() -> None:
    warnings = [*life("issued", "updated", "cancelled"), warning(9, alarm_id=2, zone="z2")]
    once = [CapBook(config(), ZONES).take(w) for w in warnings[:1]]
    book, again = CapBook(config(), ZONES), CapBook(config(), ZONES)
    first = [book.take(w) for w in warnings]
    assert [m.xml for m in first] == [again.take(w).xml for w in warnings]
    assert first[0].xml == once[0].xml
    assert len({m.identifier for m in first}) == len(first)


def test_the_seconds_told_are_never_more_than_are_left() -> None:
    for seconds in (0.4, 4.9, 9.9, 10.0, 14.9, 61.0):
        [xml] = told(CapBook(config(), ZONES), [warning(seconds_left=seconds)])
        for info in parse(xml).findall(f"{NS}info"):
            numbers = [int(n) for n in __import__("re").findall(r"\d+", info.findtext(f"{NS}instruction"))]
            assert numbers == [n for n in numbers if n <= seconds]
            assert len(numbers) == 1
    [xml] = told(CapBook(config(), ZONES), [warning(advice="drop", seconds_left=4.0)])
    assert "Lie down" in parse(xml).find(f"{NS}info").findtext(f"{NS}instruction")


@pytest.mark.parametrize("source", ["live", "process", "simulation", "replay"])
@pytest.mark.parametrize("status", ["Exercise", "Actual"])
@pytest.mark.parametrize("simulated", [False, True])
def test_only_live_real_radars_and_the_word_actual_make_it_actual(source: str, status: str, simulated: bool) -> None:
    settled = config(status=status, source=source, simulated=simulated)
    [xml] = told(CapBook(settled, ZONES), [warning()])
    actual = status == "Actual" and source == "live" and not simulated
    assert parse(xml).findtext(f"{NS}status") == ("Actual" if actual else "Exercise")
    for info, language in zip(parse(xml).findall(f"{NS}info"), LANGUAGES, strict=True):
        assert info.findtext(f"{NS}headline").startswith(language.exercise) == (not actual)
    assert check(xml, schema=SCHEMA) == []


def test_an_update_of_an_alarm_that_this_book_has_not_seen_is_an_alert_and_its_end_is_not_told() -> None:
    [xml] = told(CapBook(config(), ZONES), [warning(state="updated")])
    assert parse(xml).findtext(f"{NS}msgType") == "Alert"
    assert told(CapBook(config(), ZONES), [warning(state="cancelled")]) == []


def test_a_district_is_told_with_the_polygons_of_its_zones() -> None:
    [xml] = told(CapBook(config(), ZONES), [warning(zone="east", zones=("z1", "z2"))])
    assert len(parse(xml).findall(f"{NS}info/{NS}area/{NS}polygon")) == 2 * len(SHIPPED)
    assert check(xml, schema=SCHEMA) == []


@settings(max_examples=60, deadline=None)
@given(
    name=st.text(min_size=1, max_size=20),
    sender=st.text(max_size=20),
    probability=st.floats(),
    left=st.floats(),
    t_ns=st.integers(0, 2**62),
    impact=st.integers(-(2**63), 2**63 - 1),
    expires=st.integers(0, 2**62),
    advice=st.sampled_from(["shelter", "drop", "none"]),
)
def test_no_warning_and_no_name_makes_a_wrong_message(name, sender, probability, left, t_ns, impact, expires, advice):
    zones = {"z1": CapZone("z1", name, ZONES["z1"].polygons)}
    odd = warning(
        t_ns=t_ns,
        probability=probability,
        seconds_left=left,
        impact_t_ns=impact,
        expires_t_ns=expires,
        advice=advice,
    )
    [xml] = told(CapBook(config(sender=sender), zones), [odd])
    assert check(xml, schema=SCHEMA) == []


def broken(change, xml: bytes) -> bytes:
    from lxml import etree

    root = parse(xml)
    change(root)
    return etree.tostring(root)


def _set(path: str, text: str, which: int = 0):
    def change(root) -> None:
        root.findall("/".join(f"{NS}{step}" for step in path.split("/")))[which].text = text

    return change


WRONG = {
    "open polygon": (_set("info/area/polygon", "33.3,44.4 33.4,44.4 33.4,44.5 33.3,44.41"), "open"),
    "longitude first": (_set("info/area/polygon", "144.4,33.3 144.4,33.4 144.5,33.4 144.4,33.3"), "not latitude"),
    "off the globe": (_set("info/area/polygon", "94.4,33.3 94.4,33.4 94.5,33.4 94.4,33.3"), "off the globe"),
    "no area": (_set("info/area/polygon", "33.3,44.4 33.4,44.4 33.35,44.4 33.3,44.4"), "no area"),
    "two corners": (_set("info/area/polygon", "33.3,44.4 33.4,44.4 33.3,44.4"), "fewer than three"),
    "expired": (_set("info/expires", "2026-01-01T12:00:00-00:00"), "not after"),
    "other urgency": (_set("info/urgency", "Past", 1), "urgency"),
    "other seconds": (_set("info/instruction", "Vous avez environ 90 secondes.", 1), "numbers"),
    "bad identifier": (_set("identifier", "a b"), "identifier"),
    "twice a language": (_set("info/language", "en", 1), "twice"),
    "fraction": (_set("sent", "2026-01-01T12:00:00.7-00:00"), "line"),
    "Z": (_set("sent", "2026-01-01T12:00:00Z"), "line"),
    "references": (lambda root: root.find(f"{NS}references").set("x", "") or _set("references", "a,b")(root), "refer"),
    "no info": (lambda root: [root.remove(info) for info in root.findall(f"{NS}info")], "no info"),
    "foreign": (lambda root: root.append(parse(b"<x xmlns='urn:x'/>")), "no element"),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_what_is_wrong_is_told(name: str) -> None:
    change, words = WRONG[name]
    messages = told(CapBook(config(), ZONES), life("issued", "updated"))
    faults = check(broken(change, messages[1]), earlier=messages[:1], schema=SCHEMA)
    assert any(words in fault for fault in faults), faults


def test_entities_and_document_types_stay_closed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret words")
    bomb = f'<!DOCTYPE alert [<!ENTITY x SYSTEM "file://{secret}">]><alert xmlns="{NS[1:-1]}">&x;</alert>'
    assert any("document type" in fault for fault in check(bomb.encode()))
    assert check(b"no xml at all")[0].startswith("it is not XML")
    assert check(b"") != []


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_the_check_survives_any_bytes(data: bytes) -> None:
    assert check(data, schema=SCHEMA)
    assert check(b"<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'>" + data + b"</alert>")


def test_a_language_of_ones_own_must_say_the_same(tmp_path: Path) -> None:
    folder = Path(load_language.__code__.co_filename).parent / "languages"
    german = (folder / "en.toml").read_text().replace('language = "en"', 'language = "de"')
    (tmp_path / "de.toml").write_text(german)
    assert load_language("de.toml", base=tmp_path).tag == "de"
    (tmp_path / "short.toml").write_text(german.replace("{seconds}", "some"))
    with pytest.raises(ConfigError, match=r"instruction\.shelter.*must hold \{seconds\}"):
        load_language("short.toml", base=tmp_path)
    with pytest.raises(ConfigError, match="give one of en, fr, ar"):
        load_language("xx")
    for tag in SHIPPED:
        assert tomllib.loads((folder / f"{tag}.toml").read_text())["language"] == tag


def test_times_are_whole_seconds_with_an_offset() -> None:
    assert cap_time(T0) == "2026-01-01T12:00:00-00:00"
    assert cap_time(T0, up=True) == "2026-01-01T12:00:01-00:00"


def test_nan_is_told_as_a_number() -> None:
    [xml] = told(CapBook(config(), ZONES), [warning(probability=math.nan, seconds_left=math.inf)])
    assert b"nan" not in xml
    assert b"inf " not in xml

"""A recording that plays without a server: what the report and the notebook hold is what the server would send."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import display_raid as raid
import pytest
from display_browser import needs_browser
from test_display_map import run_flow

from opencram.display import notebook
from opencram.display.frames import FRAME_HEAD, Encoder
from opencram.display.reel import STEP_NS, page, reel
from opencram.display.timeline import Timeline
from opencram.messages import Header, Message
from opencram.recording import Writer
from opencram.report.after_action import write_report


def opened(block: bytes) -> tuple[dict[str, Any], bytes]:
    """The head of a reel, and the bytes after it."""
    plain = zlib.decompress(block)
    length = struct.unpack_from("<I", plain)[0]
    return json.loads(plain[4 : 4 + length]), plain[4 + length :]


def block() -> bytes:
    return reel(raid.messages(), raid.site(), mode="simulation", source="simulation")


def log() -> list[Message]:
    """The raid with a header, as a recording holds it."""
    head = Header(
        t_ns=raid.T0_NS, schema_version=1, program_version="0", commit="", source="simulation",
        site_name=raid.site().name,
        site_toml=raid.site().text, site_sha256=raid.site().sha256,
    )  # fmt: skip
    return [head, *raid.messages()]


def test_every_frame_is_that_of_the_server() -> None:
    head, body = opened(block())
    timeline, encoder, at = Timeline(), Encoder(raid.site()), 0
    timeline.extend(raid.messages())
    for number, size in enumerate(head["sizes"]):
        t_ns = timeline.begin_ns + number * STEP_NS
        frame = body[at : at + size]
        at += size
        assert FRAME_HEAD.unpack_from(frame)[2] == t_ns / 1e6
        sent = encoder.frame(timeline.at(t_ns), t_ns, 0, 0, 0.0, 0)
        assert frame[FRAME_HEAD.size :] == sent[FRAME_HEAD.size :]
    assert len(body) - at == sum(12 * points for _, _, points in head["paths"])
    assert [e["seq"] for e in head["events"]] == [e.seq for e in timeline.events_between(0, 10**9)]
    assert head["hello"]["end"] == pytest.approx(timeline.end_ns / 1e6, abs=500.0)
    assert head["sensors"][0][1][0]["id"] == "north"


def test_what_comes_after_is_left_out() -> None:
    until_ns = raid.t_ns(10.0)
    head, _ = opened(reel(raid.messages(), raid.site(), mode="test", source="process", until_ns=until_ns))
    assert head["hello"]["end"] == until_ns / 1e6
    assert max(event["known"] for event in head["events"]) <= until_ns / 1e6
    assert all(mark[0] <= until_ns / 1e6 for mark in head["hello"]["marks"])


def test_a_page_asks_nothing_of_anybody() -> None:
    text = page(block(), language="ar", query="paused=1&t=1")
    assert 'dir="rtl"' in text
    assert 'data-query="lang=ar&amp;paused=1&amp;t=1"' in text
    assert "url(" not in text.split("</style>")[0]
    assert text.count("<script") == text.count("</script>") == 2


@needs_browser
def test_the_report_plays_it_in_the_same_display(tmp_path: Path) -> None:
    """In the report, under its policy: at a second, on, wound to another moment, to the end; in three languages."""
    for language, words in (("en", "TAKE SHELTER"), ("fr", "À L’ABRI"), ("ar", "إلى الملجأ")):
        path = write_report(log(), tmp_path / f"{language}.html", language=language)
        run_flow("report", "file", {"address": path.as_uri(), "words": words, "plays": language == "en"})


@needs_browser
def test_the_widget_of_a_notebook_plays_it(tmp_path: Path) -> None:
    pytest.importorskip("anywidget")
    path = tmp_path / "raid.opencram"
    messages = log()
    with Writer(str(path), messages[0]) as writer:  # type: ignore[arg-type]
        writer.append(messages[1:], direction="out")
    widget = notebook.replay(path, second=10.0, height_px=640)
    assert widget.title.endswith("raid.opencram")
    held = tmp_path / "widget.json"
    traits = {"page": widget.page, "height_px": 640, "title": widget.title}
    held.write_text(json.dumps({"esm": notebook.ESM, "traits": traits}))
    run_flow("widget", "file", {"held": str(held)})

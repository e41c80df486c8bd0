"""The after-action report: one HTML file from one log, with nothing in it that was not logged.

messages → facts → words, pictures, tables → page
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from opencram.config.site import parse_site
from opencram.display.reel import page as replay_page
from opencram.display.reel import reel
from opencram.errors import ConfigError, FileError
from opencram.messages import Message
from opencram.report.catalogue import CATALOGUES, ENGLISH, Catalogue
from opencram.report.facts import Facts, gather
from opencram.report.page import page


def render(messages: Iterable[Message], truth: Mapping[str, Any] | None = None, *, say: Catalogue = ENGLISH) -> str:
    """Return the report on a log, its header first.  `truth`: a scoring file, clearly labelled as such on the page."""
    log = list(messages)
    facts = gather(log, truth)
    return page(facts, say, _replay(log, facts, say))


def _replay(log: list[Message], facts: Facts, say: Catalogue) -> str:
    """Return a page that plays the raid in the operator display, or "" where the log has no site to draw."""
    head = facts.header
    if head is None:
        return ""
    try:
        site = parse_site(head.site_toml, "the site of the recording")
    except ConfigError:
        return ""  # the page says by itself what is wrong with the site
    mode = "simulation" if head.source == "simulation" else "test"
    block = reel(log, site, mode=mode, source=head.source, until_ns=facts.scene[1])
    return replay_page(block, language=say.language, query=f"theme=light&t={facts.scene[0] / 1e6:.0f}")


def write_report(
    messages: Iterable[Message], out: Path, *, truth: Mapping[str, Any] | None = None, language: str = "en"
) -> Path:
    """Write the report on a log to `out` and return its path.  Raises `FileError` if it cannot be written."""
    text = render(messages, truth, say=CATALOGUES[language])
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"{out}: the report cannot be written ({error.strerror}); give another --out") from error
    return out

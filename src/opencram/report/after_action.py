"""The after-action report: one HTML file from one log, with nothing in it that was not logged.

messages → facts → words, pictures, tables → page
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from opencram.errors import FileError
from opencram.messages import Message
from opencram.report.catalogue import CATALOGUES, ENGLISH, Catalogue
from opencram.report.facts import gather
from opencram.report.page import page


def render(messages: Iterable[Message], truth: Mapping[str, Any] | None = None, *, say: Catalogue = ENGLISH) -> str:
    """Return the report on a log, its header first.  `truth`: a scoring file, clearly labelled as such on the page."""
    return page(gather(messages, truth), say)


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

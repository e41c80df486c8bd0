"""A recording in a notebook: the operator display, the same script as a browser is served, played without a server.

from opencram.display.notebook import replay
replay("raid.opencram")
"""

from pathlib import Path
from typing import Any, Final

from opencram.config.site import parse_site
from opencram.display.reel import page, reel
from opencram.errors import UsageError
from opencram.recording import read, read_header

REMEDY: Final = "the widget needs anywidget: pip install 'opencram[notebook]'"
HEIGHT_PX: Final = 720
ESM: Final = """
export default {
  render({ model, el }) {
    const frame = document.createElement("iframe");
    const size = () => { frame.style.height = `${model.get("height_px")}px`; };
    const fill = () => { frame.srcdoc = model.get("page"); };
    frame.title = model.get("title");
    frame.style.cssText = "width:100%;border:1px solid #8888";
    model.on("change:height_px", size);
    model.on("change:page", fill);
    size();
    fill();
    el.append(frame);
    return () => { model.off("change:height_px", size); model.off("change:page", fill); };
  },
};
"""


def replay(
    recording: str | Path, *, language: str = "en", theme: str = "dark", second: float = 0.0, height_px: int = HEIGHT_PX
) -> Any:
    """Return a widget that plays a recording, paused at a second of it."""
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        raise UsageError(f"{REMEDY} ({error})") from error
    head = read_header(str(recording))
    site = parse_site(head.site_toml, f"{recording} (the site in its header)")
    mode = "simulation" if head.source == "simulation" else "test"
    messages = list(read(str(recording)))
    block = reel(messages, site, mode=mode, source=head.source)
    begin_ns = min(m.t_ns for m in messages[1:]) if len(messages) > 1 else head.t_ns
    query = f"paused=1&theme={theme}&t={begin_ns / 1e6 + 1e3 * second:.0f}"

    class Replay(anywidget.AnyWidget):  # type: ignore[misc, name-defined]
        """The display in a frame of its own."""

        _esm = ESM
        title = traitlets.Unicode(f"{site.name}: {Path(recording).name}").tag(sync=True)
        page = traitlets.Unicode().tag(sync=True)
        height_px = traitlets.Int(HEIGHT_PX, min=200, max=4000).tag(sync=True)

    return Replay(page=page(block, language=language, query=query), height_px=height_px)

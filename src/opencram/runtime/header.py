"""The first record of a recording: which program, site and scenario made it."""

from pathlib import Path
from typing import Literal

from opencram import __version__
from opencram.config.model import Site
from opencram.messages import SCHEMA_VERSION, Header

_CHECKOUT = Path(__file__).resolve().parents[3]


def header(
    site: Site,
    t_ns: int,
    source: Literal["process", "simulation", "live"],
    *,
    scenario_sha256: str = "",
    seed: int = 0,
) -> Header:
    """Return the header of a run at `site` whose data begin at `t_ns`."""
    return Header(
        t_ns=t_ns,
        schema_version=SCHEMA_VERSION,
        program_version=__version__,
        commit=commit(),
        site_name=site.name,
        site_sha256=site.sha256,
        site_toml=site.text,
        source=source,
        scenario_sha256=scenario_sha256,
        seed=seed,
    )


def commit(checkout: Path = _CHECKOUT) -> str:
    """Return the commit of the checkout that the program runs from, or "" where it was installed from a package."""
    git = checkout / ".git"
    try:
        head = (git / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        loose = git / name
        if loose.is_file():
            return loose.read_text(encoding="ascii").strip()
        packed = (git / "packed-refs").read_text(encoding="ascii").splitlines()
        return next((line.split(" ")[0] for line in packed if line.endswith(f" {name}")), "")
    except (OSError, UnicodeDecodeError):
        return ""

"""A service that is asked to stop stops, whatever it is just about to do."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from opencram.messages import SCHEMA_VERSION, Header
from opencram.recording import Writer, contents
from opencram.runtime.live import LiveService
from opencram.runtime.logbook import Retention


@pytest.mark.parametrize("ticks", range(6))
def test_a_stop_just_when_a_dwell_has_been_taken_is_not_lost(ticks: int) -> None:
    """Cancelled so many rounds of the loop after the dwell that it was waiting for, the commits end."""

    async def run() -> bool:
        async def on_disk(work: object) -> None:
            await asyncio.sleep(0.0)

        writer = SimpleNamespace(set_aside=lambda: None, flush=None, fold_some=None)
        service = SimpleNamespace(_stepped=asyncio.Event(), core=SimpleNamespace(writer=writer), _on_disk=on_disk)
        commits = asyncio.create_task(LiveService._commit(service))  # type: ignore[arg-type]
        for _ in range(5):
            await asyncio.sleep(0.0)
        service._stepped.set()
        for _ in range(ticks):
            await asyncio.sleep(0.0)
        commits.cancel()
        ended, _ = await asyncio.wait({commits}, timeout=1.0)
        commits.cancel()
        return bool(ended)

    assert asyncio.run(run())


def test_the_file_that_another_follows_at_the_start_is_sealed_once(tmp_path: Path) -> None:
    """As after a changed site file: the service has it open already when it looks for files without a seal."""
    head = Header(
        t_ns=1, schema_version=SCHEMA_VERSION, program_version="1", commit="", site_name="", site_sha256="",
        site_toml="", source="live",
    )  # fmt: skip
    folder = tmp_path / "log"
    folder.mkdir()
    left, turned, _ = (Writer(folder / f"live-00000{k}.opencram", head) for k in (1, 2, 3))
    left._connection.close()  # a kill
    said: list[str] = []

    async def run() -> None:
        service = SimpleNamespace(
            core=SimpleNamespace(finished=[turned]), _base=tmp_path, _retention=Retention(), _tell=said.append,
            _site=SimpleNamespace(live=SimpleNamespace(log="log")),
        )  # fmt: skip
        filing = asyncio.create_task(LiveService._file(service))  # type: ignore[arg-type]
        for _ in range(100):
            await asyncio.sleep(0.02)
            if len(said) >= 2:
                break
        filing.cancel()

    asyncio.run(run())
    assert said == ["log: live-000002.opencram is sealed", "log: live-000001.opencram is sealed"]
    assert all(contents(folder / f"live-00000{k}.opencram").sealed for k in (1, 2))

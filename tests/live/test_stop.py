"""A service that is asked to stop stops, whatever it is just about to do."""

import asyncio
from types import SimpleNamespace

import pytest

from opencram.runtime.live import LiveService


@pytest.mark.parametrize("ticks", range(6))
def test_a_stop_just_when_a_dwell_has_been_taken_is_not_lost(ticks: int) -> None:
    """Cancelled so many rounds of the loop after the dwell that it was waiting for, the commits end."""

    async def run() -> bool:
        async def on_disk(work: object) -> None:
            await asyncio.sleep(0.0)

        writer = SimpleNamespace(set_aside=lambda: None, flush=None)
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

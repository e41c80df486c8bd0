"""The sirens of the demonstration: what the broker says of each zone, printed as it comes.

python examples/live/sirens.py 127.0.0.1:1883 PREFIX
"""

import asyncio
import contextlib
import json
import sys
from typing import Any

import aiomqtt

ADVICE = {"shelter": "go to shelter", "drop": "lie down now"}


def words(told: dict[str, Any]) -> str:
    """Return what a zone is told, in words."""
    if told["state"] in ("cancelled", "all_clear"):
        return {"cancelled": "cancelled, no danger", "all_clear": "all clear"}[told["state"]]
    if not told["seconds_left"]:
        return f"{told['state']}, stay in shelter"
    return f"{told['state']}, {ADVICE[told['advice']]}, {told['seconds_left']:.0f} s left"


async def main(address: str, prefix: str) -> None:
    """Print until interrupted."""
    host, port = address.rsplit(":", 1)
    async with aiomqtt.Client(host, int(port)) as client:
        await client.subscribe(f"{prefix}/#", qos=1)
        async for message in client.messages:
            topic, payload = str(message.topic), bytes(message.payload or b"").decode()
            if topic == f"{prefix}/status":
                print(f"system   {payload}", flush=True)
            elif topic.endswith("/state"):
                told = json.loads(payload)
                print(f"SIREN    {told['name']}: {words(told)}", flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, aiomqtt.MqttError):
        asyncio.run(main(*sys.argv[1:]))

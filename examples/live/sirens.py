"""The sirens of the demonstration: what the broker says of each zone, printed as it comes.

python examples/live/sirens.py 127.0.0.1:1883 PREFIX
"""

import asyncio
import contextlib
import json
import sys

import aiomqtt


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
                left = f"{told['seconds_left']:.0f} s left" if told["seconds_left"] else ""
                print(f"SIREN    {told['name']}: {told['state']}, {told['advice']} {left}", flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, aiomqtt.MqttError):
        asyncio.run(main(*sys.argv[1:]))

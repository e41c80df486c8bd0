"""The time from plot to siren, from the log of a live run: 50th and 99th percentile and worst, by channel.

python examples/live/latency.py LOG.opencram
"""

import sys

from opencram.messages import Delivery
from opencram.recording import read_inputs


def main(path: str) -> None:
    """Print one line a channel."""
    channels: dict[str, list[float]] = {}
    for message in read_inputs(path):
        if isinstance(message, Delivery):
            channels.setdefault(message.channel, []).append(message.latency_s if message.delivered else float("inf"))
    for name, latencies in sorted(channels.items()):
        latencies.sort()
        p50, p99 = (latencies[min(int(share * len(latencies)), len(latencies) - 1)] for share in (0.5, 0.99))
        figures = f"50 % within {1e3 * p50:.1f} ms, 99 % within {1e3 * p99:.1f} ms, worst {1e3 * latencies[-1]:.1f} ms"
        print(f"{name}: {len(latencies)} alarms, from plot to delivery {figures}")


if __name__ == "__main__":
    main(*sys.argv[1:])

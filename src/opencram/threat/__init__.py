"""impacts → threats: how probably a round endangers which assets and zones, and how many people."""

from opencram.threat.config import Config
from opencram.threat.stage import State, initial, step

__all__ = ["Config", "State", "initial", "step"]

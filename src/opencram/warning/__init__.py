"""threats → warnings: who is told to shelter, when, and when it is over."""

from opencram.warning.config import Config
from opencram.warning.stage import State, initial, step

__all__ = ["Config", "State", "initial", "step"]

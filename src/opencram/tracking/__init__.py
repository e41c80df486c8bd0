"""Plots → tracks."""

from opencram.tracking.config import Config
from opencram.tracking.stage import initial, step
from opencram.tracking.state import State

__all__ = ["Config", "State", "initial", "step"]

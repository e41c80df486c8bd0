"""Threats to decisions, and engagements that exist in the simulation only.

For every confirmed projectile: engage, ignore or hold, with a reason that a person can check.  Effectors are
generic models of times, ranges, probabilities and counts; nothing here can point or fire anything.

The parts of a `Config` (`Effector`, `Model`, `Zone`) are in `opencram.engagement.config`.
"""

from opencram.engagement.config import Config
from opencram.engagement.stage import step
from opencram.engagement.state import State, initial

__all__ = ["Config", "State", "initial", "step"]

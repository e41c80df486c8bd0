"""Threats to decisions, and engagements that exist in the simulation only.

For every confirmed projectile: engage, ignore or hold, with a reason that a person can check.  Effectors are
generic models of times, ranges, probabilities and counts; nothing here can point or fire anything.

`Effector` and `Zone` are the parts of a `Config`.
"""

from opencram.engagement.config import Config
from opencram.engagement.config import Zone as Zone
from opencram.engagement.effector import Effector as Effector
from opencram.engagement.stage import step
from opencram.engagement.state import State, initial

__all__ = ["Config", "State", "initial", "step"]

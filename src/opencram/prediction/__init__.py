"""Tracks → impacts: where and when each round will land, and how surely."""

from opencram.prediction.stage import Config, State, initial, step

__all__ = ["Config", "State", "initial", "step"]

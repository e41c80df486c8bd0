"""The truth: raids, flights, radars, clutter, effectors and their effects.  Nothing else knows it.

Read `model` first (what a simulated world is), then `world` (how it is stepped).
"""

"""Exterior ballistics: drag, the equations of motion, flight to the ground, projectile classes."""

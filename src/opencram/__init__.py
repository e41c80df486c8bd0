"""opencram: a counter rocket, artillery and mortar (C-RAM) system in software."""

__version__ = "0.1.0"

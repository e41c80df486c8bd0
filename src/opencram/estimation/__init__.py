"""Estimation and association for anything that moves: it knows nothing of rockets."""

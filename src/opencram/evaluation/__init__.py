"""How good a track and an impact are, and how good they could be: metrics, the posterior bound, evaluation of runs."""

"""Studies over many simulated raids: measures of effectiveness, with an interval on every figure."""

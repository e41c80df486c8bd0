"""The operator display: it shows the log, and holds no logic of its own."""

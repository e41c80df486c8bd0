"""Where radars and sirens should stand: coverage, seconds of warning over the map, and placement with its guarantee."""

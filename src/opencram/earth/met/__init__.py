"""Weather that people give: soundings and met messages, from text to checked levels, in plain Python."""

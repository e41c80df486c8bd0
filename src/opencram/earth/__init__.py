"""The ground a round flies over and the air it flies through: geodesy, gravity, atmosphere, wind."""

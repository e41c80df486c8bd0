"""Files and formats: plots in from radars, events and alarms out to people and systems."""

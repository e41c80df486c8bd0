"""Recordings for other programs: MCAP, Parquet, CSV, GeoJSON, KML, CZML and NDJSON."""

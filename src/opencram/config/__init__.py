"""Site and scenario files: read, judged, and turned into SI units and radians."""

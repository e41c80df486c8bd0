"""The register of raids: a summary of each recorded raid, what people reported afterwards, and what both come to."""

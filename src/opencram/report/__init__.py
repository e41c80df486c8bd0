"""The after-action report: messages → facts → words, pictures and tables → one HTML page."""

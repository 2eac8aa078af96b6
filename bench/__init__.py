"""Measures the platform through its public API. Run it with `make bench`."""

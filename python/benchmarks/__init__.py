"""Measurements of the client: `python -m benchmarks.cost` in python/."""

"""Tests of the client: `python3 -m tests` in python/ (or `python3 -m unittest discover`), without anything installed."""

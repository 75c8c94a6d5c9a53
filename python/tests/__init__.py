"""Tests of the client: `python3 -m tests` in python/, without anything installed.

`python3 -m unittest discover -s tests -t .` does as well.
"""

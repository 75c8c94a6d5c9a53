"""Exported schedules, executed: the files that the real server answers, in the frameworks that they are made for."""

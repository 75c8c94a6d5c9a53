"""Adapters for frameworks: each is tested where its framework is installed."""

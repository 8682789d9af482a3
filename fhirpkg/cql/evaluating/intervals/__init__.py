"""Intervals: their ends, their relations, and sets of them."""

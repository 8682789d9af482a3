"""Intervals: their ends, how they stand to each other, and sets of them."""

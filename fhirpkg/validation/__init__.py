"""Checking resources against definitions; a rule family a module."""

"""Searching: parameters, criteria, order, pages, included resources, parts of resources."""

"""Questionnaires and the responses to them."""

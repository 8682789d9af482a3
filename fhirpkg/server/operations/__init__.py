"""The operations ($validate, $apply, ...) in one table."""

"""What code systems, value sets and concept maps say of themselves."""

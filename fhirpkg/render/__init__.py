"""HTML for people, made from resources."""

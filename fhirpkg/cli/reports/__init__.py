"""What verbs print of their results: findings in several formats, and plans that were applied."""

"""The Questionnaire that asks for what the actions of a plan need, and what is known of it."""

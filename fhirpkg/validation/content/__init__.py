"""Rules on the content of this project: plans, activities, documents, their portability."""

"""What CDS Hooks need besides the cards: tokens checked, data fetched, feedback kept."""

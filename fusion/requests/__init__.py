"""What is asked of a recommender: arguments, who is meant, what is no candidate."""

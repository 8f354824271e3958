"""Many scores to one: weights of the base models, cold start, the reranker."""

"""The service: what a recommender answers, over HTTP, with keys, limits, metrics and a page."""

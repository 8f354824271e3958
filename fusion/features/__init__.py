"""What a model may read: training events, facts, texts, attributes."""

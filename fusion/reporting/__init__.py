"""What people read of a run: progress, explanations, the model card, the page."""

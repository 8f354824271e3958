"""Ablations and the search for hyperparameters."""

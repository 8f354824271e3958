"""Runs in this process: which model answers whom, on which threads, and what was answered."""

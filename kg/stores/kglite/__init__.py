"""The graph in memory, asked by kglite, in one folder beside the run."""

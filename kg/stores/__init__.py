"""Where a graph lives: the interface of stores, and what all stores share."""

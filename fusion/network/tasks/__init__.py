"""What the joint network learns: one file per kind of task, and the list of them."""

"""How the losses of several tasks become one step: one file per kind, and the list of them."""

"""The store of a run: LadybugDB in a folder."""

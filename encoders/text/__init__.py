"""Texts as vectors: the encoder and its cache."""

"""Serving without torch: base models as arrays, blended by one product."""

"""JSON in and out: request bodies, checked, and answers as they are sent."""

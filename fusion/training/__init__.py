"""In which order everything is fitted."""

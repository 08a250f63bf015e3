"""Search for settings of the classifier: what is tried, how it is judged, and what comes of it."""

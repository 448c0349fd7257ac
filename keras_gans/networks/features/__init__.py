"""Feature networks, for metrics and losses."""

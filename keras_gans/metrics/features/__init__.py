"""Feature networks and what is kept of them."""

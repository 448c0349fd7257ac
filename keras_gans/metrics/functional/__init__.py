"""Metrics as pure functions over features, scores and pixels."""

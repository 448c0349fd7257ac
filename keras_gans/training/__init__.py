"""Runs: recipes, checkpoints, callbacks, several devices."""

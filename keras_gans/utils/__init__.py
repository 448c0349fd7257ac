"""Validation, suggestions and atomic files."""

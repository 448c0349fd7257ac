"""Weight names of reference implementations, one file a family."""

"""Template tags for tests and their stages."""

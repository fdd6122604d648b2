"""The REST resources of definitions."""

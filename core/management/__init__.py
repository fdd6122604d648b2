"""Management of core."""

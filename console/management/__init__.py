"""Management of console."""

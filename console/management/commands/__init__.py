"""Commands of console."""

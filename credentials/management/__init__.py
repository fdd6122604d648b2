"""Management of credentials."""

"""Secrets: the vault that seals them at rest."""

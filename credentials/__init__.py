"""Secrets: the credentials that connections share, and the vault that seals every secret at rest."""

"""Users and their roles: who may come in, and as what."""

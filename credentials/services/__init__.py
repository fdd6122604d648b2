"""The writers of this app: `credentials` writes credentials, `keys` sets up, checks and rotates the vault."""

from credentials.services.credentials import KIND, Saved, delete, open_secret, save
from credentials.services.keys import Resealed, VaultMismatch, check_vault, prepare_vault, prune, rotate

__all__ = [
    "KIND",
    "Resealed",
    "Saved",
    "VaultMismatch",
    "check_vault",
    "delete",
    "open_secret",
    "prepare_vault",
    "prune",
    "rotate",
    "save",
]

"""Accounts on mail servers that tests sign in to, kept from being locked by us.

Logins are serial per account (a constraint on jobs), and what a server has refused for good is not sent again until
the secret changes or a person lifts the suspension.
"""

from cluster.accounts.identity import identify
from cluster.accounts.services import (
    REFUSALS,
    find,
    find_unclear,
    forget,
    learn,
    lift,
    told,
    told_unclear,
    unclear,
)

__all__ = ["REFUSALS", "find", "find_unclear", "forget", "identify", "learn", "lift", "told", "told_unclear", "unclear"]

"""TRUST: the certificates that servers presented and nobody trusted yet, and the trust store."""

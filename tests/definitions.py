"""A definition that tests start from."""

GOOD = {
    "name": "orders-out",
    "host": "mail.example.org",
    "port": 587,
    "connection_security": "STARTTLS",
    "username": "orders",
    "password": "correct horse",
}
"""A sound SMTP connection."""

"""The enumerations of a credential, written exactly as in the systems that people know."""

from __future__ import annotations

from django.db import models


class CredentialKind(models.TextChoices):
    """What a credential holds."""

    BASIC = "BASIC", "Basic (user name and password)"
    OAUTH2_CLIENT_CREDENTIAL = "OAUTH2_CLIENT_CREDENTIAL", "OAuth2 client credential"


class ClientAuth(models.TextChoices):
    """How the client proves itself at the token endpoint (RFC 6749, section 2.3.1)."""

    POST = "POST", "In the body of the request"
    BASIC = "BASIC", "In the Authorization header"

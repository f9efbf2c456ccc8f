"""What the token endpoint can refuse, in the words of RFC 6749 5.2."""

from __future__ import annotations

from typing import ClassVar


class OAuthError(Exception):
    """`error` is the code of the RFC, the message its description."""

    status: ClassVar[int] = 400
    error: ClassVar[str] = "invalid_request"


class InvalidRequest(OAuthError): ...


class InvalidClient(OAuthError):
    status, error = 401, "invalid_client"


class InvalidGrant(OAuthError):
    error = "invalid_grant"


class InvalidScope(OAuthError):
    error = "invalid_scope"


class UnsupportedGrant(OAuthError):
    error = "unsupported_grant_type"


class UnauthorizedClient(OAuthError):
    error = "unauthorized_client"

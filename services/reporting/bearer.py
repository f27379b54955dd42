"""Who calls: the bearer token of a request (RFC 6750), taken from its header and from nowhere else."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting.access import is_token, scope_of
from services.reporting.scope import Scope
from services.reporting.web import ApiError, HttpMetrics

_SCHEME: Final = "bearer"
_REALM: Final = 'Bearer realm="senconet"'


async def authenticate(request: Request, engine: AsyncEngine, metrics: HttpMetrics) -> Scope:
    """The scope of the request's token. Raises ApiError with 401, or 400 where a token stands in the address."""
    try:
        return await _scope(request, engine)
    except ApiError as refusal:
        metrics.refused.labels(refusal.code).inc()
        raise


async def _scope(request: Request, engine: AsyncEngine) -> Scope:
    # An address is written to logs and histories: a token in it is refused, so that nobody comes to rely on it.
    if any(name == "access_token" or is_token(value) for name, value in request.query_params.multi_items()):
        raise ApiError(400, "token_in_address", "Send the token in the Authorization header, and replace this one.")
    given = request.headers.getlist("authorization")
    if not given:
        raise _unauthorised("token_missing", "Send a bearer token in the Authorization header.")
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != _SCHEME or not is_token(token):
        raise _unauthorised("token_malformed", "The Authorization header does not hold a bearer token.")
    scope = await scope_of(engine, token)
    if scope is None:
        raise _unauthorised("token_unknown", "The token is not valid.", ', error="invalid_token"')
    return scope


def _unauthorised(code: str, message: str, detail: str = "") -> ApiError:
    return ApiError(401, code, message, {"www-authenticate": _REALM + detail})

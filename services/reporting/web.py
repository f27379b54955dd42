"""What every HTTP answer has in common: the form of errors, headers that keep answers out of caches, and counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.reporting.scope import NotPermitted

_HEADERS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER: Final = "other"
_AWAY: Final = (OperationalError, InternalError, InterfaceError, PoolTimeout)
"""The database is away, or too slow: it ends a transaction that takes too long with an internal error."""

_STANDARD: Final[Mapping[int, tuple[str, str]]] = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
}


class ApiError(Exception):
    """An answer that refuses. `code` is the promise, `message` may change; neither repeats anything of the request."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


class HttpMetrics:
    """The server's metrics, in a registry of their own. No label is a value that a caller chooses."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "senconet_http_requests", "Requests answered", ("route", "method", "status"), registry=self.registry
        )
        self.refused = Counter(
            "senconet_http_authentication_failures",
            "Requests refused for their token",
            ("kind",),
            registry=self.registry,
        )


class Observed:
    """Counts each answer by the template of its route, and gives it the headers that all answers have."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI asks for."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # what the outermost handler answers with if an exception passes through here

        async def observe(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        try:
            await self._app(scope, receive, observe)
        finally:
            route = getattr(scope.get("route"), "path", _OTHER)
            method = scope["method"] if scope["method"] in _METHODS else _OTHER
            self._metrics.requests.labels(route, method, str(status)).inc()


def answer_errors(app: FastAPI, metrics: HttpMetrics) -> None:
    """Give every refusal and failure of the application the one form `{"code", "message"}`."""

    async def refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ApiError)
        return _response(error.status, error.code, error.message, error.headers)

    async def not_permitted(_: Request, __: Exception) -> JSONResponse:
        metrics.refused.labels("not_permitted").inc()
        return _response(403, "not_permitted", "The token does not give access to this.")

    app.add_exception_handler(ApiError, refused)
    app.add_exception_handler(NotPermitted, not_permitted)
    app.add_exception_handler(HTTPException, _standard)
    app.add_exception_handler(RequestValidationError, _invalid)
    for kind in _AWAY:
        app.add_exception_handler(kind, _unavailable)
    app.add_exception_handler(Exception, _failed)


def _response(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"code": code, "message": message}, status, headers={**_HEADERS, **(headers or {})})


async def _standard(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code, message = _STANDARD.get(error.status_code, ("refused", "The request is refused."))
    return _response(error.status_code, code, message, error.headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Only parameters that we know are named: the name of another is as much the caller's text as its value."""
    assert isinstance(error, RequestValidationError)
    problems = sorted({_problem(found) for found in error.errors()})
    return _response(422, "request_invalid", " ".join(problems))


def _problem(found: Mapping[str, Any]) -> str:
    if found["type"] == "extra_forbidden":
        return "A parameter is not known."
    return f"{found['loc'][-1]} is missing." if found["type"] == "missing" else f"{found['loc'][-1]} is not valid."


async def _unavailable(_: Request, __: Exception) -> JSONResponse:
    return _response(503, "unavailable", "Try again in a moment.", {"retry-after": "5"})


async def _failed(_: Request, __: Exception) -> JSONResponse:
    return _response(500, "internal_error", "The fault is ours.")

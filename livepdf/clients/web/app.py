"""The read-only web page of a daemon: who has the token may look, nobody can change anything."""

import hmac
import threading
import time
from collections.abc import Callable
from importlib.resources import files

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from livepdf.clients.web.state import Json, page_state
from livepdf.wire.client import Client

COOKIE = "livepdf"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES = {"page.js": "text/javascript", "page.css": "text/css"}


class Follower:
    """Follows the daemon in a thread of its own; pages ask it, never the daemon."""

    def __init__(self, endpoint: str) -> None:
        self._client = Client(endpoint)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follower", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._stop.set()
        self._thread.join()
        self._client.close()

    def state(self) -> Json:
        """Return what pages show now."""
        with self._lock:
            return page_state(self._client.mirror, now=time.time())

    def _follow(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                self._client.poll(0.05)
            # Lets a page that waits for the lock have it.
            self._stop.wait(0.05)


def build_app(state: Callable[[], Json], *, token: str) -> Starlette:
    """Return the application.

    Parameters
    ----------
    state
        What the page shows; see `page_state`.
    token : str
        Wanted once in the address (``/?token=…``), then kept in a cookie.
    """
    if len(token) < 16:
        raise ValueError("a token needs 16 letters or more")

    def page(_request: Request) -> Response:
        return HTMLResponse(_read("page.html"))

    def part(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _FILES:
            return PlainTextResponse("there is no such page", status_code=404)
        return Response(_read(name), media_type=_FILES[name])

    def now(_request: Request) -> Response:
        return JSONResponse(state())

    return Starlette(
        routes=[
            Route("/", page, methods=["GET"]),
            Route("/state.json", now, methods=["GET"]),
            Route("/{name}", part, methods=["GET"]),
        ],
        middleware=[Middleware(_Door, token=token)],
    )


class _Door(BaseHTTPMiddleware):
    """Lets in who has the token, and tells browsers to load nothing from elsewhere."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        super().__init__(app)
        self._token = token

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        given = request.query_params.get("token", "")
        kept = request.cookies.get(COOKIE, "")
        if not (self._fits(given) or self._fits(kept)):
            return PlainTextResponse(
                "This page needs its token: open the address that livepdf web printed.",
                status_code=401,
            )
        response = await call_next(request)
        if self._fits(given):
            response.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    def _fits(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


def _read(name: str) -> str:
    return files("livepdf.clients.web").joinpath(name).read_text(encoding="utf-8")

"""The web page's door and state, without a daemon."""

import http.client
import json
import math
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
import uvicorn

from livepdf.clients.web.app import build_app
from livepdf.clients.web.state import POINTS, page_state
from livepdf.model.curve import Curve, Result, Span, Trend
from livepdf.wire.mirror import Mirror

TOKEN = "a-token-of-sixteen"


def mirror(windows: int) -> Mirror:
    made = Mirror(connection="connected", connected=True)
    q, r = np.linspace(1, 20, 400), np.linspace(0, 60, 6001)
    for number in range(windows):
        span = Span(
            scope="window",
            run="r",
            number=number,
            first=number,
            last=number,
            frames=1,
            start=float(number),
            end=number + 1.0,
            revision=1,
        )
        shown = number % 2 == 0
        trend = Trend(
            name="domain size",
            unit="Å",
            value=20.0 + number if shown else math.nan,
            sigma=0.5 if shown else math.nan,
            reason="" if shown else "too few photons",
        )
        curves = (
            Curve(kind="iq", x=q, y=q * 0 + number, sigma=q * 0 + 1),
            Curve(kind="gr", x=r, y=np.sin(r), sigma=np.where(r < 1, np.nan, 0.1)),
        )
        made.add(Result(span=span, curves=curves, trends=(trend,)))
    return made


@dataclass
class Reply:
    status_code: int
    text: str
    headers: http.client.HTTPMessage


@dataclass
class Visitor:
    """A browser that keeps one cookie."""

    port: int
    cookie: str = field(default="")

    def get(self, path: str) -> Reply:
        return self.request("GET", path)

    def request(self, method: str, path: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, headers={"Cookie": self.cookie} if self.cookie else {})
        reply = connection.getresponse()
        found = Reply(reply.status, reply.read().decode(), reply.headers)
        connection.close()
        self.cookie = (found.headers["set-cookie"] or self.cookie).split(";")[0]
        return found


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = build_app(lambda: page_state(mirror(3), now=10.0), token=TOKEN)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=lambda: server.run(sockets=[listening]))
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(60)


@pytest.fixture
def visitor(port: int) -> Visitor:
    return Visitor(port)


@pytest.mark.parametrize("path", ["/", "/state.json", "/page.js", "/?token=wrong", "/nothing"])
def test_without_the_token_nothing_is_seen(visitor: Visitor, path: str) -> None:
    reply = visitor.get(path)

    assert reply.status_code == 401
    assert "livepdf web printed" in reply.text


def test_the_token_is_given_once_and_then_kept_in_a_cookie(visitor: Visitor) -> None:
    page = visitor.get(f"/?token={TOKEN}")

    assert page.status_code == 200
    assert "HttpOnly" in page.headers["set-cookie"]
    assert visitor.get("/state.json").status_code == 200
    assert visitor.get("/page.css").headers["content-type"].startswith("text/css")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(visitor: Visitor, method: str) -> None:
    reply = visitor.request(method, f"/?token={TOKEN}")

    assert reply.status_code == 405


@pytest.mark.parametrize("path", ["/../app.py", "/app.py", "/%2e%2e/web.py", "/state.py"])
def test_no_other_file_is_served(visitor: Visitor, path: str) -> None:
    assert visitor.get(f"{path}?token={TOKEN}").status_code == 404


def test_the_page_loads_nothing_from_elsewhere(visitor: Visitor) -> None:
    page = visitor.get(f"/?token={TOKEN}")

    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "http://" not in page.text
    assert "https://" not in page.text


def test_a_short_token_is_refused() -> None:
    with pytest.raises(ValueError, match="16 letters"):
        build_app(dict, token="short")


def test_the_state_is_json_with_gaps_and_reasons_and_no_more_points_than_a_screen() -> None:
    state = page_state(mirror(2 * POINTS + 1), now=10_000.0)

    text = json.dumps(state, allow_nan=False)
    assert len(text) < 400_000
    curves, trends = state["curves"], state["trends"]
    assert isinstance(curves, dict)
    assert isinstance(trends, dict)
    assert len(curves["gr"]["x"]) <= POINTS
    assert curves["gr"]["sigma"][0] is None
    assert len(trends["time"]) <= POINTS
    # The newest window is always there.
    assert trends["lines"][0]["value"][-1] == 20.0 + 2 * POINTS
    withheld = page_state(mirror(2), now=1.0)["values"]
    assert withheld == [
        {
            "name": "domain size",
            "unit": "Å",
            "value": None,
            "sigma": None,
            "reason": "too few photons",
        }
    ]


def test_without_a_daemon_the_page_says_so() -> None:
    state = page_state(Mirror(connection="nobody answers at tcp://a:1"), now=0.0)

    assert state["connected"] is False
    assert state["line"] == "nobody answers at tcp://a:1"

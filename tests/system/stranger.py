"""Somebody in another network: tries an address with several keys and says what came of it.

Run in a network namespace of its own: ``python -m tests.system.stranger ENDPOINT RESULTS KEY…``.
KEY is a file, ``none``, or ``wrong:FILE`` for a key that nobody made; all are tried side by side.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec
import zmq

from livepdf.errors import SourceError
from livepdf.wire.client import Client
from livepdf.wire.keys import ClientKey, read_client_key
from livepdf.wire.messages import MarkRequest, PauseRequest, ShutdownRequest
from livepdf.wire.unpack import reachable

TIMEOUT = 8.0
"""s that somebody with the right key may have to wait on a busy machine; others wait in vain."""


def key_of(word: str) -> ClientKey | None:
    if word == "none":
        return None
    if word.startswith("wrong:"):
        right = read_client_key(Path(word.removeprefix("wrong:")))
        public, secret = (half.decode() for half in zmq.curve_keypair())
        return msgspec.structs.replace(right, public=public, secret=secret)
    return read_client_key(Path(word))


def tried(endpoint: str, word: str) -> dict[str, object]:
    """Ask for everything; return what was got."""
    client = Client(endpoint, key=key_of(word))
    got: dict[str, object] = {"role": "", "mark": "", "stop": "", "heard": 0}
    try:
        snapshot = client.connect(TIMEOUT)
        got["role"] = snapshot.role
        got["windows"] = 0 if client.mirror.windows is None else len(client.mirror.windows)
    except SourceError:
        got["heard"] = heard(endpoint, word)
    for name, request in (
        ("mark", MarkRequest(text=f"by {word[-20:]}")),
        ("pause", PauseRequest(paused=False)),
        ("stop", ShutdownRequest() if got["role"] == "viewer" else MarkRequest(text="again")),
    ):
        try:
            reply, _ = client.ask(request, TIMEOUT if got["role"] else 1.0)
            got[name] = type(reply).__name__
        except SourceError as error:
            got[name] = str(error)[:60]
    client.close()
    return got


def heard(endpoint: str, word: str) -> int:
    """Return how many messages of the results can be overheard; their address is told to us."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    key = key_of(word)
    if key is not None:
        key.use(socket)
    socket.connect(reachable(sys.argv[2], endpoint))
    came = 0
    while socket.poll(2000):
        socket.recv_multipart()
        came += 1
        if came > 3:
            break
    socket.close()
    context.term()
    return came


def main() -> None:
    endpoint, _, *words = sys.argv[1:]
    with ThreadPoolExecutor(len(words)) as side_by_side:
        outcomes = dict(zip(words, side_by_side.map(partial(tried, endpoint), words), strict=True))
    sys.stdout.write(json.dumps(outcomes) + "\n")


if __name__ == "__main__":
    main()

"""Documents by bluesky's own proxy and dispatcher, held against the schemas of the event model."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from livepdf.config.publish import BlueskyPublish
from livepdf.model.status import Event
from tests.sinks.made import result

pytest.importorskip("event_model")
pytest.importorskip("bluesky")

from livepdf.sinks.bluesky import BlueskySink

_PEER = """
import json, sys, threading
import msgpack
from bluesky.callbacks.zmq import Proxy, RemoteDispatcher
from event_model import DocumentNames, schema_validators
proxy = Proxy("127.0.0.1:*", "127.0.0.1:*")
threading.Thread(target=proxy.start, daemon=True).start()
def port(bound):
    return int(str(bound).rpartition(":")[2])
heard = RemoteDispatcher(("127.0.0.1", port(proxy.out_port)), prefix=b"pdf",
                         deserializer=msgpack.unpackb, strict=True)
def take(name, document):
    schema_validators[DocumentNames[name]].validate(document)
    print(json.dumps([name, document]), flush=True)
heard.subscribe(take)
print(json.dumps(port(proxy.in_port)), flush=True)
heard.start()
"""


class Peer:
    """Somebody of bluesky's, in a process of its own."""

    def __init__(self) -> None:
        words = [sys.executable, "-W", "ignore", "-c", _PEER]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.port = self.line()

    def line(self) -> Any:
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said, self._process.wait()
        return json.loads(said)

    def documents(self, last: str) -> list[tuple[str, dict[str, Any]]]:
        """Return all that comes until a run whose stop has that reason."""
        found = []
        while not found or found[-1][1].get("reason") != last:
            name, document = self.line()
            found.append((name, document))
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.close()


def ended(run: str, words: str) -> Event:
    return Event(kind="run end", time=time.time(), text=words, run=run)


def test_a_run_is_what_bluesky_takes_for_one(peer: Peer) -> None:
    table = {"kind": "bluesky", "address": f"tcp://127.0.0.1:{peer.port}", "prefix": "pdf"}
    sink = BlueskySink(BlueskyPublish.model_validate(table))
    # What is sent before the proxy's subscription is here is heard by nobody.
    for number in range(100):
        sink.result(result(0, run=f"early_{number}"))
        time.sleep(0.02)
    sink.result(result(0, ("domain size", 20.0, 1.0), run="a"))
    sink.result(result(1, ("domain size", 21.0, 1.0), run="a", flags=("bubble",)))
    sink.result(result(2, ("domain size", 22.0, 1.0), run="a", environment=(("T.sample", 500.0),)))
    sink.result(result(9, run="a", scope="run"))
    sink.event(ended("a", "all is here"))
    sink.result(result(1, ("domain size", 21.5, 0.5), run="a"))
    sink.result(result(0, run="b"))
    sink.close()

    heard = peer.documents("livepdf stops")

    start = next(n for n, (_, document) in enumerate(heard) if document.get("livepdf_run") == "a")
    first, second = heard[start:], [name for name, _ in heard[start:]]
    assert second == [
        *("start", "descriptor", "event", "event", "descriptor", "event", "stop"),
        *("start", "descriptor", "event", "stop"),
    ]
    documents = [document for _, document in first]
    one, two = documents[1], documents[4]
    assert (one["name"], two["name"]) == ("primary", "primary_2")
    assert one["data_keys"]["domain_size"]["units"] == "Å"
    assert {d["run_start"] for d in (one, two, documents[6])} == {documents[0]["uid"]}
    events = [documents[2], documents[3], documents[5]]
    assert [e["data"]["domain_size"] for e in events] == [20.0, 21.0, 22.0]
    assert events[1]["data"]["flags"] == "bubble"
    assert events[2]["data"]["T_sample"] == 500.0
    assert [e["descriptor"] for e in events] == [one["uid"], one["uid"], two["uid"]]
    assert [e["time"] > 1e9 for e in events] == [True] * 3
    stop = documents[6]
    assert stop["exit_status"] == "success"
    assert stop["num_events"] == {"primary": 2, "primary_2": 1}

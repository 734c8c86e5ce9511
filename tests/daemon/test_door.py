"""Who may connect, up to how many, and who is shown out."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
import zmq

from livepdf.daemon.door import Door
from livepdf.daemon.keyring import Keyring, make_client, revoke
from livepdf.wire.keys import ClientKey

Socket = zmq.Socket[bytes]
PATIENCE = 60.0


@dataclass
class House:
    """Both sockets of a daemon behind a door, and whoever comes."""

    folder: Path
    context: "zmq.Context[Socket]" = field(default_factory=zmq.Context)
    outside: "zmq.Context[Socket]" = field(default_factory=zmq.Context)
    sockets: list[Socket] = field(default_factory=list)

    def open(self, *, keys: bool, limit: int = 64, stall: float = 30.0) -> None:
        ring = Keyring(self.folder) if keys else None
        self.door = Door(self.context, ring, limit=limit, stall=stall)
        self.requests, self.results = self.context.socket(zmq.ROUTER), self.context.socket(zmq.PUB)
        self.door.guard(self.requests, "requests")
        self.door.guard(self.results, "results")
        for own in (self.requests, self.results):
            own.setsockopt(zmq.LINGER, 0)
            own.bind("tcp://127.0.0.1:0")
            self.sockets.append(own)
        self.door.open()

    def comes(
        self, bound: Socket, *, kind: int, key: ClientKey | None = None, again: int = 50
    ) -> Socket:
        """Return a client's socket that is connecting; it tries ``again`` after so many ms."""
        client = self.outside.socket(kind)
        self.sockets.append(client)
        client.setsockopt(zmq.LINGER, 0)
        client.setsockopt(zmq.RCVHWM, 1 if again < 0 else 1000)
        client.setsockopt(zmq.RECONNECT_IVL, again)
        if kind == zmq.SUB:
            client.setsockopt(zmq.SUBSCRIBE, b"")
        if key is not None:
            key.use(client)
        client.connect(bound.getsockopt_string(zmq.LAST_ENDPOINT))
        return client

    def close(self) -> None:
        for made in self.sockets:
            made.close()
        self.door.close()
        self.outside.term()
        self.context.term()

    def hears(self, client: Socket, timeout: float = PATIENCE) -> bool:
        """Whether something published comes to a client."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            self.results.send(b"news")
            if client.poll(50):
                client.recv()
                return True
        return False


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "keys")
    yield made
    made.close()


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_only_keys_of_the_ring_come_in_and_the_others_are_counted(house: House) -> None:
    good = make_client(house.folder, name="anna", role="viewer")
    public, secret = (half.decode() for half in zmq.curve_keypair())
    house.open(keys=True)
    wrong = msgspec.structs.replace(good, public=public, secret=secret)

    strangers = [house.comes(house.results, kind=zmq.SUB, key=key) for key in (wrong, None)]
    assert house.hears(house.comes(house.results, kind=zmq.SUB, key=good))
    wait(lambda: house.door.turned_away().get("unknown key", 0) >= 1)
    assert not any(stranger.poll(0) for stranger in strangers)


def test_a_client_that_wants_another_daemon_says_nothing_to_this_one(house: House) -> None:
    key = make_client(house.folder, name="anna", role="controller")
    other = zmq.curve_keypair()[0].decode()
    house.open(keys=True)

    lost = house.comes(
        house.requests, kind=zmq.DEALER, key=msgspec.structs.replace(key, server=other)
    )
    lost.send(b"to another one")
    right = house.comes(house.requests, kind=zmq.DEALER, key=key)
    right.send(b"to this one")

    _, text = house.requests.recv_multipart(copy=False)
    assert text.bytes == b"to this one"
    assert str(text.get("User-Id")) == key.public
    assert not house.requests.poll(200)


def test_what_was_published_before_a_key_was_revoked_is_the_last_that_its_owner_hears(
    house: House,
) -> None:
    anna = make_client(house.folder, name="anna", role="viewer")
    carl = make_client(house.folder, name="carl", role="viewer")
    house.open(keys=True)
    stays = house.comes(house.results, kind=zmq.SUB, key=anna)
    leaves = house.comes(house.results, kind=zmq.SUB, key=carl)
    assert house.hears(stays)
    assert house.hears(leaves)

    revoke(house.folder, "carl")
    wait(lambda: house.door.turned_away().get("unknown key", 0) >= 1)
    while leaves.poll(200):
        leaves.recv()

    assert house.hears(stays)
    assert not house.hears(leaves, 1.0)
    assert house.door.peers("results") <= 2


def test_more_clients_than_the_limit_stay_outside_until_one_leaves(house: House) -> None:
    house.open(keys=False, limit=2)
    inside = [house.comes(house.results, kind=zmq.SUB) for _ in range(2)]
    assert all(house.hears(client) for client in inside)

    wait(lambda: house.door.peers("results") == 2)

    third = house.comes(house.results, kind=zmq.SUB)
    wait(lambda: house.door.turned_away().get("too many clients", 0) >= 1)
    assert not house.hears(third, 0.5)
    inside[0].close()

    assert house.hears(third)


def test_of_a_crowd_that_comes_at_once_no_more_than_the_limit_come_in(house: House) -> None:
    house.open(keys=False, limit=2)
    crowd = [house.comes(house.results, kind=zmq.SUB, again=20 + 7 * n) for n in range(8)]
    heard: set[int] = set()

    def listen() -> bool:
        house.results.send(b"news")
        heard.update(n for n, client in enumerate(crowd) if client.poll(5) and client.recv())
        return len(heard) == 2 and house.door.turned_away().get("too many clients", 0) >= 50

    wait(listen)
    assert len(heard) == 2


def test_who_reads_nothing_is_cut_and_counted_and_who_reads_is_not(house: House) -> None:
    house.open(keys=False, stall=1.5)
    house.results.setsockopt(zmq.SNDHWM, 50)
    house.comes(house.results, kind=zmq.SUB, again=-1)  # nobody ever reads from it
    reads = house.comes(house.results, kind=zmq.SUB)
    wait(lambda: house.door.peers("results") == 2)

    heard = 0
    deadline = time.monotonic() + PATIENCE
    while not house.door.turned_away():
        assert time.monotonic() < deadline
        house.results.send(bytes(1 << 20))
        while reads.poll(20):
            reads.recv()
            heard += 1

    assert dict(house.door.turned_away()) == {"does not read": 1}
    wait(lambda: house.door.peers("results") == 1)
    assert heard > 0
    assert house.hears(reads)


def test_who_says_nothing_at_all_is_gone_after_the_handshake_time(house: House) -> None:
    make_client(house.folder, name="anna", role="viewer")
    house.open(keys=True)
    port = int(house.results.getsockopt_string(zmq.LAST_ENDPOINT).rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)):
        wait(lambda: house.door.peers("results") == 1)
        wait(lambda: house.door.peers("results") == 0)

"""Both sockets of the daemon, bound before anything else starts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import zmq

from livepdf.config.profile import Wire, is_loopback
from livepdf.daemon.control import Control
from livepdf.daemon.door import Door
from livepdf.daemon.keyring import Keyring
from livepdf.daemon.publish import Publisher
from livepdf.errors import Complaint, ConfigError, FileError

Bound = TypeVar("Bound")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sockets:
    """What clients connect to."""

    context: "zmq.Context[zmq.Socket[bytes]]"
    publisher: Publisher
    control: Control
    door: Door

    def close(self, reason: str) -> None:
        """Say good-bye and let go of the addresses; control has been closed by its thread."""
        self.publisher.close(reason)
        self.control.close()
        self.door.close()
        self.context.term()


def bind(*, requests: str, results: str, file: str, wire: Wire) -> Sockets:
    """Bind both addresses.

    Parameters
    ----------
    wire : Wire
        Keys and limits; without keys, only addresses of this machine alone are bound.

    Raises
    ------
    ConfigError
        With a complaint for each address that cannot be taken, or must not.
    """
    complaints = [] if wire.keys is not None else _open_to_others(requests, results, file)
    complaints += _unreachable(requests, results, file)
    keyring = None if wire.keys is None else _keyring(wire.keys, file, complaints)
    if complaints:
        raise ConfigError(complaints)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    door = Door(context, keyring, limit=wire.clients)
    control = _attempt(
        lambda: Control(context, requests, door=door, rate=wire.rate),
        complaints,
        file,
        "wire.requests",
        requests,
    )
    publisher = _attempt(
        lambda: Publisher(context, results, door=door), complaints, file, "wire.results", results
    )
    if control is None or publisher is None:
        if control is not None:
            control.close()
        door.close()
        context.destroy(linger=0)
        raise ConfigError(complaints)
    door.open()
    return Sockets(context=context, publisher=publisher, control=control, door=door)


def _open_to_others(requests: str, results: str, file: str) -> list[Complaint]:
    wanted = "an address of this machine alone (127.0.0.1), or wire.keys: see `livepdf keys`"
    pairs = (("wire.requests", requests), ("wire.results", results))
    return [Complaint(file, key, at, wanted) for key, at in pairs if not is_loopback(at)]


def _unreachable(requests: str, results: str, file: str) -> list[Complaint]:
    if is_loopback(results) and not is_loopback(requests):
        wanted = f"an address that whoever reaches {requests} can reach too"
        return [Complaint(file, "wire.results", results, wanted)]
    return []


def _keyring(keys: Path, file: str, complaints: list[Complaint]) -> Keyring | None:
    if not zmq.has("curve"):
        wanted = "none, or a ZeroMQ with CURVE: this one was built without"
        complaints.append(Complaint(file, "wire.keys", str(keys), wanted))
        return None
    try:
        return Keyring(keys)
    except FileError as error:
        wanted = "a directory that `livepdf keys make` filled"
        complaints.append(Complaint(file, "wire.keys", str(error), wanted))
        return None


def _attempt(
    make: Callable[[], Bound], complaints: list[Complaint], file: str, key: str, address: str
) -> Bound | None:
    try:
        return make()
    except zmq.ZMQError as error:
        taken = error.errno == zmq.EADDRINUSE
        why = "address in use" if taken else str(error)
        wanted = "a free port: is another livepdf running? port 0 takes any free one"
        complaints.append(Complaint(file, key, f"{address}: {why}", wanted))
        return None

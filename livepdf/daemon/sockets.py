"""Both sockets of the daemon, bound before anything else starts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import zmq

from livepdf.daemon.control import Control
from livepdf.daemon.publish import Publisher
from livepdf.errors import Complaint, ConfigError

Bound = TypeVar("Bound")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sockets:
    """What clients connect to."""

    context: "zmq.Context[zmq.Socket[bytes]]"
    publisher: Publisher
    control: Control

    def close(self, reason: str) -> None:
        """Say good-bye and let go of the addresses; control has been closed by its thread."""
        self.publisher.close(reason)
        self.control.close()
        self.context.term()


def bind(*, requests: str, results: str, file: str) -> Sockets:
    """Bind both addresses.

    Raises
    ------
    ConfigError
        With a complaint for each address that cannot be taken.
    """
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    complaints: list[Complaint] = []
    control = _attempt(
        lambda: Control(context, requests), complaints, file, "wire.requests", requests
    )
    publisher = _attempt(
        lambda: Publisher(context, results), complaints, file, "wire.results", results
    )
    if control is None or publisher is None:
        context.destroy(linger=0)
        raise ConfigError(complaints)
    return Sockets(context=context, publisher=publisher, control=control)


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

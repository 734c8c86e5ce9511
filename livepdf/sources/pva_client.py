"""The one place that touches p4p, an optional package."""

from collections.abc import Callable, Sequence
from typing import Any

from livepdf.errors import SourceError

REMEDY = "reading EPICS PVA needs the optional package p4p: pip install 'livepdf[pva]'"


class PvaClient:
    """Follows channels; callbacks come on threads of p4p's, with None where a channel has gone."""

    def __init__(self, *, addresses: Sequence[str], broadcast: bool) -> None:
        """Make a client.

        Parameters
        ----------
        addresses
            Where to look for channels, e.g. ``ioc.example`` or ``192.0.2.7:5076``.
        broadcast
            Whether to ask all hosts of the local networks too.

        Raises
        ------
        SourceError
            When p4p is not installed.
        """
        try:
            from p4p.client.thread import Context
        except ImportError:
            raise SourceError(REMEDY) from None
        settings = {
            "EPICS_PVA_ADDR_LIST": " ".join(addresses),
            "EPICS_PVA_AUTO_ADDR_LIST": "YES" if broadcast else "NO",
        }
        # Without settings of ours the environment of EPICS holds, as people are used to.
        conf = settings if addresses or not broadcast else None
        self._held: list[Any] = []
        self._context = Context("pva", conf=conf, useenv=True, nt=False)

    def follow(
        self, channel: str, callback: Callable[[Any], None], *, request: str | None = None
    ) -> None:
        """Call back with every update of a channel, from its present value on."""

        def hear(value: Any) -> None:
            callback(None if isinstance(value, Exception) else value)

        # A subscription that nobody holds ends when Python next tidies up.
        self._held.append(
            self._context.monitor(channel, hear, request=request, notify_disconnect=True)
        )

    def close(self) -> None:
        """Let all channels go; no callback comes after this."""
        for subscription in self._held:
            subscription.close()
        self._context.close()

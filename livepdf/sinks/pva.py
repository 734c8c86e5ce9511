"""Results as EPICS PVs over PVAccess: whoever may read the network may read, nobody can write."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from p4p.nt import NTScalar
from p4p.server import Server, StaticProvider
from p4p.server.thread import SharedPV

from livepdf.config.publish import PvaPublish
from livepdf.model.curve import Result
from livepdf.model.status import Event, Status

_MOST_TRENDS = 200
_CURVES = ("iq", "gr")
_INVALID, _MINOR = 3, 1


class PvaSink:
    """Serves PVs under a prefix; new trends become new PVs."""

    def __init__(self, settings: PvaPublish) -> None:
        self._prefix = settings.prefix
        self._interface = settings.interface
        self._provider = StaticProvider("livepdf")
        self._pvs: dict[str, tuple[SharedPV, Any]] = {}
        for name in ("STATE", "RUN", "EVENT", "FLAG"):
            self._post(name, "s", "")
        for name in ("RECEIVED", "USED", "LEFT_OUT", "REFUSED", "LOST", "WINDOW", "REVISION"):
            self._post(name, "l", 0)
        for name in ("RATE", "LAG"):
            self._post(name, "d", 0.0)
        self._post("FLAGS", "as", [])
        self._server = Server(
            providers=[self._provider],
            conf={
                "EPICS_PVAS_INTF_ADDR_LIST": settings.interface,
                "EPICS_PVAS_SERVER_PORT": str(settings.port),
                "EPICS_PVAS_BROADCAST_PORT": "0" if settings.port == 0 else "5076",
                "EPICS_PVAS_AUTO_BEACON_ADDR_LIST": "NO",
            },
            useenv=False,
        )

    @property
    def conf(self) -> dict[str, str]:
        """What a client of this machine needs to find it, as p4p names it."""
        found: dict[str, str] = self._server.conf()
        # Beacons are off, so nothing fills in by itself whom a client should ask.
        return {**found, "EPICS_PVA_ADDR_LIST": self._interface}

    def result(self, result: Result) -> None:
        """Post the trends of a window, its flags, I(Q) and G(r)."""
        if result.span.scope != "window":
            return
        self._post("RUN", "s", result.span.run)
        self._post("WINDOW", "l", result.span.number)
        self._post("FLAGS", "as", list(result.flags))
        for trend in result.trends[:_MOST_TRENDS]:
            name = f"TREND:{_plain(trend.name)}"
            severity = _INVALID if math.isnan(trend.value) else _MINOR if result.flags else 0
            self._post(name, "d", trend.value, severity=severity, units=trend.unit)
            self._post(f"{name}:SIGMA", "d", trend.sigma, severity=severity, units=trend.unit)
        for curve in result.curves:
            if curve.kind in _CURVES:
                for part, values in (("X", curve.x), ("Y", curve.y), ("SIGMA", curve.sigma)):
                    self._post(f"{curve.kind.upper()}:{part}", "ad", np.asarray(values, float))

    def event(self, event: Event) -> None:
        """Post the newest event."""
        self._post("EVENT", "s", f"{event.kind}: {event.text}")

    def flag(self, name: str, raised: bool, words: str) -> None:
        """Post the newest word about a flag."""
        self._post("FLAG", "s", words or name, severity=_MINOR if raised else 0)

    def status(self, status: Status) -> None:
        """Post the counters."""
        counters = status.counters
        self._post("STATE", "s", status.state)
        self._post("RATE", "d", status.rate, units="Hz")
        self._post("LAG", "d", status.lag, units="s")
        self._post("REVISION", "l", status.revision)
        for name, value in (
            ("RECEIVED", counters.received),
            ("USED", counters.used),
            ("LEFT_OUT", counters.left_out),
            ("REFUSED", sum(counters.refused.values())),
            ("LOST", counters.lost),
        ):
            self._post(name, "l", value)

    def close(self) -> None:
        """Serve no longer."""
        self._server.stop()
        for pv, _ in self._pvs.values():
            pv.close()

    def _post(
        self,
        name: str,
        kind: str,
        value: str | float | Sequence[str] | np.ndarray,
        *,
        severity: int = 0,
        units: str = "",
    ) -> None:
        known = self._pvs.get(name)
        scalar = kind in ("d", "l")
        shape = known[1] if known else NTScalar(kind, display=scalar)
        wrapped = shape.wrap(value)
        wrapped["alarm.severity"] = severity
        if scalar:
            wrapped["display.units"] = units
        if known:
            known[0].post(wrapped)
            return
        pv = SharedPV(nt=shape, initial=wrapped)
        self._pvs[name] = (pv, shape)
        self._provider.add(self._prefix + name, pv)


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").upper() or "TREND"

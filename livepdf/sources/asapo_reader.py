"""Fetch messages from ASAP::O one after the other, by their ids, and follow the newest stream.

Messages are asked for by id, in a group of readers of our own, so that nothing is taken away from
the beamline's other readers.
"""

from collections.abc import Mapping
from typing import Any

from livepdf.config.control_sources import Asapo
from livepdf.errors import SourceError
from livepdf.sources.asapo_frames import FIRST_ID, pack_end, pack_message

REMEDY = (
    "reading ASAP::O needs the optional package asapo-consumer: pip install 'livepdf[asapo]' "
    "(Python 3.11 or 3.12)"
)
Message = tuple[bytes, ...]


def make_consumer(settings: Asapo) -> Any:
    """Make DESY's own consumer. SourceError where it is not installed or refuses the settings."""
    try:
        import asapo_consumer
    except ImportError:
        raise SourceError(REMEDY) from None
    try:
        token = settings.token.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SourceError(f"{settings.token}: {error.strerror or error}") from None
    try:
        return asapo_consumer.create_consumer(
            settings.server,
            "auto",
            False,
            settings.beamtime,
            settings.data_source,
            token,
            int(settings.patience * 1000),
        )
    except asapo_consumer.AsapoConsumerError as error:
        raise SourceError(f"ASAP::O at {settings.server}: {error}") from None


class AsapoReader:
    """Asks a consumer for the next message; knows the exceptions of ASAP::O."""

    def __init__(self, settings: Asapo, consumer: Any) -> None:
        import asapo_consumer

        self._errors = asapo_consumer
        self._settings = settings
        self._consumer = consumer
        self._stream = ""
        self._next = FIRST_ID
        self._done: set[str] = set()
        self._chosen_before = False
        self.state = "waiting: no stream yet"

    def step(self) -> Message | None:
        """Return the next message, None where there is none yet.

        Never raises for what the broker says: ``state`` tells.
        """
        errors = self._errors
        try:
            if not self._stream and not self._choose():
                return None
            return self._fetch()
        except (errors.AsapoEndOfStreamError, errors.AsapoNoDataError) as error:
            return self._absent(error)
        except errors.AsapoStreamFinishedError:
            return self._finish()
        except errors.AsapoWrongInputError as error:
            self.state = f"lost: ASAP::O refuses: {error}"
        except errors.AsapoConsumerError as error:
            self.state = f"lost: {error}"
        return None

    def _fetch(self) -> Message:
        errors = self._errors
        try:
            payload, meta = self._consumer.get_by_id(
                self._next, meta_only=False, stream=self._stream
            )
        except (
            errors.AsapoDataNotInCacheError,
            errors.AsapoPartialDataError,
            errors.AsapoLocalIOError,
        ) as error:
            # The message exists, its pixels do not: it is counted, and the next one fetched.
            payload, meta = b"", {"_id": self._next, "name": f"{type(error).__name__}"}
        self._next += 1
        self.state = "connected"
        return pack_message(self._stream, _plain(meta), b"" if payload is None else bytes(payload))

    def _absent(self, error: Exception) -> Message | None:
        if isinstance(error, self._errors.AsapoNoDataError):
            self._next += 1  # a gap: later ids are there
            return None
        self.state = "connected"
        newest = self._newest()
        if newest is not None and newest["name"] != self._stream:
            return self._finish()
        return None

    def _finish(self) -> Message:
        ended, self._stream = self._stream, ""
        self._done.add(ended)
        return pack_end(ended)

    def _choose(self) -> bool:
        newest = self._newest()
        if newest is None:
            return False
        self._stream = str(newest["name"])
        from_now = self._settings.start == "new" and not self._chosen_before
        self._next = int(newest.get("lastId", 0)) + 1 if from_now else FIRST_ID
        self._chosen_before = True
        return True

    def _newest(self) -> Mapping[str, Any] | None:
        """Return the stream made last, where it was not read to its end already."""
        streams = [s for s in self._consumer.get_stream_list() if s["name"] not in self._done]
        return max(streams, key=lambda s: s.get("timestampCreated", 0), default=None)


def _plain(meta: object) -> Mapping[str, Any]:
    return meta if isinstance(meta, Mapping) else {}

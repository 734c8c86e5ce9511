"""What a publishing sink is, and how sinks of other packages are found."""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, Protocol

from livepdf.config.publish import (
    BlueskyPublish,
    CommandPublish,
    PluginPublish,
    Publish,
    PvaPublish,
    WebhookPublish,
)
from livepdf.errors import FileError
from livepdf.model.curve import Result
from livepdf.model.status import Event, Status

GROUP = "livepdf.sinks"


class Sink(Protocol):
    """Takes what the daemon publishes; one thread calls it, and may be kept waiting.

    Whatever it raises is counted and logged, and the next item comes all the same.
    """

    def result(self, result: Result) -> None:
        """Take the curves and trends of a window or of the run so far."""

    def event(self, event: Event) -> None:
        """Take something that happened."""

    def flag(self, name: str, raised: bool, words: str) -> None:
        """Take that a quality flag was raised or taken back."""

    def status(self, status: Status) -> None:
        """Take how the daemon is doing."""

    def close(self) -> None:
        """Let go of everything."""


def open_sink(settings: Publish) -> Sink:
    """Make the sink that a table asks for.

    Raises
    ------
    FileError
        When a package is missing, or the plugin refuses its settings.
    """
    match settings:
        case WebhookPublish():
            from livepdf.sinks.occasions import Occasioned, posted

            return Occasioned(settings, act=posted(settings))
        case CommandPublish():
            from livepdf.sinks.occasions import Occasioned, commanded

            return Occasioned(settings, act=commanded(settings))
        case PvaPublish():
            return _with("p4p", "livepdf[pva]", lambda: _pva(settings))
        case BlueskyPublish():
            return _with("event_model", "livepdf[bluesky]", lambda: _bluesky(settings))
        case PluginPublish():
            return _plugin(settings)


def _pva(settings: PvaPublish) -> Sink:
    from livepdf.sinks.pva import PvaSink

    return PvaSink(settings)


def _bluesky(settings: BlueskyPublish) -> Sink:
    from livepdf.sinks.bluesky import BlueskySink

    return BlueskySink(settings)


def _with(package: str, extra: str, make: Callable[[], Sink]) -> Sink:
    try:
        return make()
    except ModuleNotFoundError as error:
        raise FileError(f"{package} is not installed ({error}): pip install '{extra}'") from None


def _plugin(settings: PluginPublish) -> Sink:
    found = [entry for entry in entry_points(group=GROUP) if entry.name == settings.name]
    if not found:
        known = ", ".join(sorted(entry.name for entry in entry_points(group=GROUP))) or "none"
        raise FileError(f"no sink {settings.name!r} is installed; known: {known}")
    try:
        make: Any = found[0].load()
        sink: Sink = make(settings.settings)
    except Exception as error:  # noqa: BLE001  it is somebody else's code
        raise FileError(f"sink {settings.name!r} cannot be made: {error}") from None
    return sink

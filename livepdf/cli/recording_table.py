"""What `livepdf recording info` tells about a recording."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from livepdf.cli.recording_open import Opened


@dataclass(slots=True, kw_only=True)
class ChannelSurvey:
    """The messages of one channel."""

    messages: int = 0
    bytes: int = 0
    first: float = float("nan")
    """Unix seconds of receipt."""
    last: float = float("nan")
    holes: int = 0
    """Messages that were received but are not in the recording."""
    longest_pause: float = 0.0
    """s"""
    next_number: int = -1

    @property
    def rate(self) -> float:
        """Messages per second, on average."""
        seconds = self.last - self.first
        return (self.messages - 1) / seconds if seconds > 0 else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A whole recording."""

    file: str
    size: int
    kind: str
    """Of the source."""
    channels: Mapping[str, ChannelSurvey]
    attached: Mapping[str, int]
    """Bytes by name."""
    notes: Mapping[str, str] = field(default_factory=dict)
    closed: bool = True
    """Whether the file was closed in order."""
    checked: int = 0
    """Chunks with the right check sum."""
    damaged: int = 0
    foreign: int = 0
    """Messages that livepdf did not write."""

    @property
    def sound(self) -> bool:
        """Whether the file is whole and every byte as it was written."""
        return self.closed and not self.damaged

    def as_json(self) -> dict[str, Any]:
        """Return it for a program."""
        channels = {
            name: {**asdict(channel), "rate": channel.rate if channel.messages > 1 else None}
            for name, channel in self.channels.items()
        }
        return {**asdict(self), "channels": channels, "sound": self.sound}


def survey(recording: Opened) -> Survey:
    """Read a recording from end to end."""
    channels: dict[str, ChannelSurvey] = {}
    for message in recording.reader.messages():
        raw = message.raw
        channel = channels.setdefault(raw.channel, ChannelSurvey(first=raw.received))
        if channel.messages:
            channel.longest_pause = max(channel.longest_pause, raw.received - channel.last)
            channel.holes += max(0, message.sequence - channel.next_number)
        channel.next_number = message.sequence + 1
        channel.messages += 1
        channel.bytes += raw.size
        channel.last = raw.received
    told: dict[str, Any] = {}
    if recording.mcap is not None:
        found = recording.mcap.found
        told = {
            "notes": dict(found.notes),
            "closed": found.whole,
            "checked": found.checked,
            "damaged": found.damaged,
            "foreign": found.foreign,
        }
    return Survey(
        file=str(recording.path),
        size=recording.path.stat().st_size,
        kind=recording.origin.kind if recording.origin is not None else "",
        channels=channels,
        attached={item.name: len(item.data) for item in recording.attached},
        **told,
    )


def print_survey(found: Survey) -> None:
    """Print it for people."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(
        title=f"{found.file}: {found.kind or 'unknown source'}, {found.size / 1e6:.1f} MB"
    )
    for name in ("channel", "messages", "MB", "from", "to", "per s", "pause / s", "holes"):
        table.add_column(name, justify="left" if name == "channel" else "right")
    for name, channel in found.channels.items():
        table.add_row(
            name,
            str(channel.messages),
            f"{channel.bytes / 1e6:.1f}",
            _moment(channel.first),
            _moment(channel.last),
            f"{channel.rate:.2f}",
            f"{channel.longest_pause:.2f}",
            str(channel.holes) if channel.holes else "none",
        )
    console.print(table)
    days = [datetime.fromtimestamp(c.first) for c in found.channels.values() if c.messages]
    if days:
        console.print(f"received from {min(days):%Y-%m-%d %H:%M:%S} on", highlight=False)
    attached = ", ".join(f"{name} ({size} B)" for name, size in found.attached.items())
    console.print(f"attached: {attached or 'nothing'}", highlight=False)
    console.print(_verdict(found), highlight=False)


def _verdict(found: Survey) -> str:
    words = [f"{found.checked} chunks have the right check sum"] if found.checked else []
    if found.damaged:
        words.append(f"{found.damaged} CHUNKS ARE DAMAGED")
    if found.foreign:
        words.append(f"{found.foreign} messages are not from livepdf")
    if dropped := int(found.notes.get("dropped", "0") or 0):
        words.append(f"{dropped} messages were not recorded")
    if not found.closed:
        words.append("the file was NOT CLOSED: livepdf recording repair makes it whole")
    return "; ".join(words or ["no check sums in such a file"])


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%H:%M:%S.%f")[:-3]

"""Every way in which a pushed stream goes wrong, as a detector would do it: DECTRIS Stream V2."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cbor2
import numpy as np

from livepdf.simulate.stream2 import bitshuffle_lz4
from tests.daemon import beamline
from tests.system.daemon import MAGIC, Detector
from tests.system.faults import Fault, Gain

GAP = 0.4
"""s that the source of these tests waits for a missing frame or start."""
SOURCE = f"gap_timeout = {GAP}\nidle_timeout = 30.0\nlargest_message = 1"
QUALITY = """[quality]
leave_out = ["beam lost"]
texture = 1e9
spotty_rings = 1e9
"""


@dataclass
class Sender:
    """Gives every fault a series of its own."""

    detector: Detector
    series: int = 0

    def begin(self) -> int:
        """Start the next series."""
        self.series += 1
        self.detector.start(self.series, beamline.SHAPE)
        return self.series

    def images(self, numbers: Iterable[int], *, series: int | None = None) -> None:
        """Send good images."""
        for index in numbers:
            self.detector.image(series or self.series, index, beamline.counts(index))

    def end(self) -> None:
        """End the series."""
        self.detector.end(self.series)

    def whole(self, frames: int = 1) -> None:
        """Send a good series."""
        self.begin()
        self.images(range(frames))
        self.end()

    def message(self, **fields: object) -> None:
        """Send a CBOR message of the series."""
        named = {"series_id": self.series, "series_unique_id": f"unique-{self.series}"}
        self.detector.junk(MAGIC + cbor2.dumps(named | fields))

    def packed(
        self,
        *,
        cut: int | None = None,
        size: bytes = b"",
        element: object = 2,
        tag: int = 69,
        spoil: int = 0,
    ) -> None:
        """Send image 0 of the series, bitshuffle-LZ4, damaged as told."""
        good = bitshuffle_lz4(beamline.counts(0))
        blob = bytearray(size + good[len(size) :])[:cut]
        blob[spoil : spoil + 400 * bool(spoil)] = b"\xff" * 400 * bool(spoil)
        content = cbor2.CBORTag(56500, ["bslz4", element, bytes(blob)])
        array = cbor2.CBORTag(40, [list(beamline.SHAPE), cbor2.CBORTag(tag, content)])
        self.message(type="image", image_id=0, data={"threshold_1": array})


def stream_faults(sender: Sender) -> list[Fault]:
    """Return all of them; each leaves its series ended."""
    return [*_messages(sender), *_images(sender), *_series(sender), *_beam(sender)]


def _in_series(sender: Sender, *steps: Callable[[], object]) -> Callable[[], None]:
    def inject() -> None:
        sender.begin()
        for step in steps:
            step()
        sender.end()

    return inject


def _messages(sender: Sender) -> list[Fault]:
    junk = sender.detector.junk
    image = {"type": "image", "image_id": 0}
    cases: list[tuple[str, Callable[[], object], str]] = [
        ("empty message", lambda: junk(b""), "malformed"),
        ("random bytes", lambda: junk(np.random.default_rng(1).bytes(300)), "malformed"),
        ("a pickle", lambda: junk(b"\x80\x04\x95\x0f"), "malformed"),
        ("cut in the middle", lambda: junk(MAGIC + b"\xa4\x64type\x65image"), "malformed"),
        ("nested without end", lambda: junk(MAGIC + b"\xa1\x61a" + b"\x81" * 5000), "malformed"),
        ("length of 2^63 bytes", lambda: junk(MAGIC + b"\xa1\x61a\x5b\x7f" + b"\xff" * 7), ""),
        ("unknown type", lambda: sender.message(type="weather"), "unknown message"),
        ("image without data", lambda: sender.message(**image), "no image"),
        ("image without number", lambda: sender.message(type="image", data={}), "malformed"),
        ("larger than allowed", lambda: junk(bytes(3 << 20)), "too large"),
    ]
    return [
        Fault(
            name=name,
            inject=_in_series(sender, step),
            gain=Gain(refused={reason or "malformed": 1}),
        )
        for name, step, reason in cases
    ]


def _images(sender: Sender) -> list[Fault]:
    def other_channel() -> None:
        array = cbor2.CBORTag(40, [list(beamline.SHAPE), cbor2.CBORTag(69, bytes(24000))])
        sender.message(type="image", image_id=0, data={"threshold_2": array})

    def other_shape() -> None:
        wide = np.ones((100, 130), dtype=np.uint16)
        sender.detector.image(sender.series, 0, wide)

    cases: list[tuple[str, Callable[[], object], str]] = [
        ("blob cut", lambda: sender.packed(cut=3000), "truncated"),
        ("blob spoilt", lambda: sender.packed(spoil=12), "truncated"),
        ("header says 2^63 bytes", lambda: sender.packed(size=b"\x7f" + b"\xff" * 7), "wrong size"),
        ("wrong element size", lambda: sender.packed(element=4), "wrong element size"),
        ("element size is a text", lambda: sender.packed(element="2"), "wrong element size"),
        ("wrong type tag", lambda: sender.packed(tag=70), "wrong element size"),
        ("unknown type tag", lambda: sender.packed(tag=83), "unsupported dtype"),
        ("channel missing", other_channel, "channel missing"),
        ("another shape", other_shape, "wrong shape"),
    ]
    return [
        Fault(name=name, inject=_in_series(sender, step), gain=Gain(refused={reason: 1}))
        for name, step, reason in cases
    ]


def _series(sender: Sender) -> list[Fault]:
    images, detector = sender.images, sender.detector

    def image_before_start() -> None:
        sender.series += 1
        images([0])
        detector.start(sender.series, beamline.SHAPE)
        images([1, 2])
        sender.end()

    def no_start() -> None:
        sender.series += 1
        images([4, 5, 6])
        sender.end()

    def same_number_again() -> None:
        sender.whole(2)
        fields = {"type": "start", "channels": ["threshold_1"], "series_unique_id": "another"}
        sender.message(**fields)
        array = cbor2.CBORTag(40, [list(beamline.SHAPE), cbor2.CBORTag(69, bytes(24000))])
        sender.message(
            type="image", image_id=0, series_unique_id="another", data={"threshold_1": array}
        )
        sender.message(type="end", series_unique_id="another")

    def two_starts_no_end() -> None:
        sender.begin()
        images(range(2))
        sender.begin()
        images(range(2))
        sender.end()

    def stale() -> None:
        sender.whole(1)
        sender.begin()
        images([7], series=sender.series - 1)
        images([0])
        sender.end()

    return [
        Fault(name="image before its start", inject=image_before_start, gain=Gain(used=3)),
        Fault(name="no start, from frame 4 on", inject=no_start, gain=Gain(used=3)),
        Fault(name="no end", inject=two_starts_no_end, gain=Gain(used=4)),
        Fault(
            name="two ends",
            inject=_in_series(sender, lambda: images(range(2)), sender.end),
            gain=Gain(used=2),
        ),
        Fault(
            name="two starts",
            inject=_in_series(
                sender,
                lambda: detector.start(sender.series, beamline.SHAPE),
                lambda: images(range(2)),
            ),
            gain=Gain(used=2),
        ),
        Fault(name="same number, another series", inject=same_number_again, gain=Gain(used=3)),
        Fault(
            name="frames 4 and 5 lost",
            inject=_in_series(sender, lambda: images([0, 1, 2, 3, 6, 7])),
            gain=Gain(used=6, lost=2),
        ),
        Fault(
            name="out of order",
            inject=_in_series(sender, lambda: images([0, 4, 2, 1, 3, 5])),
            gain=Gain(used=6),
        ),
        Fault(
            name="a frame twice",
            inject=_in_series(sender, lambda: images([0, 1, 1, 2])),
            gain=Gain(used=3, refused={"duplicate": 1}),
        ),
        Fault(name="stale series", inject=stale, gain=Gain(used=2, refused={"stale series": 1})),
    ]


def _beam(sender: Sender) -> list[Fault]:
    def no_beam() -> None:
        for index in (14, 15):
            dim = (beamline.counts(index) // 200).astype(np.uint16)
            sender.detector.image(sender.series, index, dim)

    return [
        Fault(
            name="beam lost",
            inject=_in_series(
                sender, lambda: sender.images(range(14)), no_beam, lambda: sender.images([16])
            ),
            gain=Gain(used=15, left_out=2),
        ),
    ]

"""The worked example of the contributors' page does what the page says."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from livepdf.model.frame import FrameRefused
from tests.sources.conftest import kinds
from tests.sources.streams import frames, pixels, play

PAGE = Path(__file__).parents[2] / "docs" / "contributing.md"
IMPORTS = """
from collections.abc import Sequence
from typing import Literal
from livepdf.config.sources import Stream
from livepdf.errors import FrameError
from livepdf.sources.dectris_v2_frames import patience_of
from livepdf.sources.described import described, pixel_type, sizes
from livepdf.sources.fields import Part, json_map, whole
from livepdf.sources.ordering import SeriesId
from livepdf.sources.stream_frames import Exposure, StreamEvent, StreamFrames
"""


def test_the_example_detector_is_read_lost_frames_counted_and_damage_refused() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    code = [block for block in blocks if "Blink" in block]
    names: dict[str, Any] = {"__name__": "blink"}
    exec(IMPORTS + "\n".join(code), names)
    settings = names["Blink"](kind="blink", endpoint="tcp://127.0.0.1:1")
    images = [np.arange(12, dtype=np.uint16).reshape(3, 4) + n for n in range(5)]
    messages = []
    for number, image in enumerate(images):
        head = {"kind": "frame", "series": 3, "number": number, "shape": [3, 4]}
        messages.append([json.dumps(head).encode(), image.tobytes()])
    messages[2] = [messages[2][0], b"cut"]
    del messages[3]

    feed = names["blink_feed"](settings)
    items = play(feed, messages, after=3.0) + feed.tick(now=2000.0)

    assert (kinds(items).count("RunStart"), kinds(items)[-1]) == (1, "RunEnd")
    assert [frame.index for frame in frames(items)] == [0, 1, 4]
    assert [i.reason for i in items if isinstance(i, FrameRefused)] == ["truncated"]
    assert feed.lost == 2
    np.testing.assert_array_equal(pixels(frames(items)[-1]), images[4])

"""Print what dranspose's replay reads of a recording: it needs cbor2 below 6."""

import json
import sys

from dranspose.middlewares.stream1 import parse
from dranspose.replay import get_internals

for message in get_internals(sys.argv[1]):
    for data in message.streams.values():
        packet = parse(data)
        image = getattr(packet, "data", None)
        pixels = None if image is None else image.tolist()
        sys.stdout.write(json.dumps([packet.htype, packet.msg_number, pixels]) + "\n")

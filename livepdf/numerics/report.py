"""Which of the possible ways the loops take on this machine."""

from collections.abc import Mapping

import llvmlite.binding

from livepdf.numerics.adders import LANES
from livepdf.numerics.kernel import keeps_on_disk
from livepdf.numerics.lz4_call import lz4_or_own
from livepdf.numerics.vectors import width

MEMORY = (
    "6 bytes per pixel without splitting (EIGER 9M: 62 MB), 25 to 35 with it, 4 more for a dark; "
    "2 to 5 MB of scratch per thread, and a whole image only for a bare LZ4 block"
)
"""What a process that integrates holds; its threads share all but the scratch."""


def kernel_report() -> Mapping[str, str]:
    """Return, in words, what each step of the integration runs on; nothing is compiled for it."""
    own = "own loops (slower): hdf5plugin does not lend its function"
    vectors = f"vectors of {width()} bytes for {llvmlite.binding.get_host_cpu_name()}"
    return {
        "LZ4": "LZ4_decompress_safe of hdf5plugin" if lz4_or_own() else own,
        "bitshuffle": vectors,
        "one frame": "scalar histogram of clean pixels",
        "many frames": f"{LANES} lanes, {vectors}",
        "compiled loops": "kept on disk" if keeps_on_disk() else "compiled at each start",
    }

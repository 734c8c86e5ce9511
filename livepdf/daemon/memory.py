"""How this process keeps its memory, and how its threads take turns."""

import ctypes
import gc
import sys

_TRIM, _PAD, _MAP = -1, -2, -3
_KEPT = 32 << 20
"""Bytes: glibc takes no more."""
_SWITCH = 0.001
"""s that a thread may keep the interpreter from the others; Python's own are 5 ms."""


def tune_process() -> None:
    """Keep memory that frames leave for the next ones, and let threads take short turns.

    Given back to the kernel and fetched again, the memory of a message costs more time than
    receiving it. Where the C library is another one, this part is left out.
    """
    sys.setswitchinterval(_SWITCH)
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option, value in ((_MAP, _KEPT), (_TRIM, 16 * _KEPT), (_PAD, _KEPT)):
            set_option(option, value)


def keep_what_is_loaded() -> None:
    """Never look through what is loaded by now for garbage again.

    A quarter of a million objects of libraries and compiled loops: each time all threads would wait
    for 0.2 s.
    """
    gc.collect()
    gc.freeze()

"""Every test of the window runs offscreen, on a real socket, and leaves no widget behind."""

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

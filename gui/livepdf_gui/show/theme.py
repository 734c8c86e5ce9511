"""Colours, readable for every kind of colour vision (Okabe and Ito, 2008)."""

from dataclasses import dataclass

from livepdf_gui.show.choice import ThemeName

Level = str
"""``good``, ``warn``, ``bad`` or ``quiet``: always said in words as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """All colours of the window as #rrggbb."""

    window: str
    panel: str
    text: str
    faint: str
    """Text of second rank."""
    edge: str
    button: str
    field: str
    """Ground of what can be typed into or pressed in sheets, told apart from the sheet."""
    accent: str
    plot: str
    axis: str
    grid: str
    absent: str
    """Pixels and windows that have no value."""
    curves: tuple[str, ...]
    good: str
    warn: str
    bad: str
    banner: str
    banner_text: str
    select: str
    event: str

    def level(self, level: Level) -> str:
        """Return the colour of a level."""
        return {"good": self.good, "warn": self.warn, "bad": self.bad}.get(level, self.text)


def over_map(*, pale: bool) -> Theme:
    """Return the theme whose lines stand out on a map: maps look the same in all themes."""
    return LIGHT if pale else DARK


LIGHT = Theme(
    window="#eef0f2",
    panel="#ffffff",
    text="#14181c",
    faint="#4d5862",
    edge="#c3cad1",
    button="#f6f7f8",
    field="#ffffff",
    accent="#0072b2",
    plot="#ffffff",
    axis="#30363c",
    grid="#d5dade",
    absent="#c9cdd2",
    curves=("#0072b2", "#d55e00", "#009e73", "#b0568c", "#a87400", "#2b8cc4"),
    good="#00704f",
    warn="#9a5b00",
    bad="#b3261e",
    banner="#b3261e",
    banner_text="#ffffff",
    select="#000000",
    event="#b0568c",
)

DARK = Theme(
    window="#15191d",
    panel="#1d2227",
    text="#eceff1",
    faint="#a9b4bd",
    edge="#3b444c",
    button="#2a3138",
    field="#2a3138",
    accent="#56b4e9",
    plot="#1d2227",
    axis="#c9d1d8",
    grid="#4a545d",
    absent="#3d444b",
    curves=("#56b4e9", "#e69f00", "#2fc79b", "#e39ac4", "#f0e442", "#8fb9ff"),
    good="#37d19f",
    warn="#f0b429",
    bad="#ff8a80",
    banner="#8c1d18",
    banner_text="#ffffff",
    select="#ffffff",
    event="#e39ac4",
)

CONTRAST = Theme(
    window="#000000",
    panel="#000000",
    text="#ffffff",
    faint="#ffffff",
    edge="#ffffff",
    button="#3d3d3d",
    field="#3d3d3d",
    accent="#ffd700",
    plot="#000000",
    axis="#ffffff",
    grid="#ffffff",
    absent="#5a5a5a",
    curves=("#00e5ff", "#ffb000", "#50ff8a", "#ff9de2", "#ffff4d", "#c3b3ff"),
    good="#50ff8a",
    warn="#ffd700",
    bad="#ff8f8f",
    banner="#ffff00",
    banner_text="#000000",
    select="#ffffff",
    event="#ff9de2",
)

THEMES: dict[ThemeName, Theme] = {"light": LIGHT, "dark": DARK, "contrast": CONTRAST}

"""What a whole run says: a law with its parameters, or why it says nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One parameter of a law."""

    name: str
    unit: str
    value: float
    sigma: float
    low: float
    high: float
    """Ends of the 95 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A law fitted to a run; without parameters where there is a reason."""

    law: str
    found: tuple[Found, ...] = ()
    correlations: tuple[tuple[str, str, float], ...] = ()
    """Of each pair of parameters: one that is near ±1 says that they are almost one thing."""
    chi2: float = float("nan")
    """Reduced."""
    points: int = 0
    reason: str = ""

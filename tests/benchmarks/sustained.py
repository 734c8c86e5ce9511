"""What a daemon made of a series at one rate, and up to which rate it keeps pace."""

from dataclasses import dataclass

RATE = 250.0
"""Hz, the highest of the detector."""
KNEE_WANTED = 400.0
"""Hz"""
LAG_LIMIT = 0.25
"""s"""
WINDOWS_PER_SECOND = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sustained:
    """What one series at one rate gave."""

    work: str
    rate: float
    """Hz that the detector was asked for."""
    reached: float
    """Hz that went out."""
    dropped: int
    """Images that found no room at the daemon's door."""
    late: float
    """s that the detector was behind at the end."""
    received: int
    used: int
    refused: int
    lost: int
    queue: float
    """MiB, the most that was seen waiting."""
    lags: tuple[float, float, float]
    """Median, p99 and maximum: s from the sending of the last frame of a window to its curves at
    a viewer."""
    windows: float
    """Hz, at the viewer."""
    cpu: float
    """Cores that the daemon kept busy."""
    detector_cpu: float
    elsewhere: float
    """Cores that other processes of the machine, or other machines on its host, kept busy."""
    memory: float
    """MiB that the daemon holds."""
    blob: int
    """Bytes of an image."""

    @property
    def met(self) -> bool | None:
        """Whether the rate was kept; of a higher one than the detector's that is only asked."""
        return self.kept if self.rate <= RATE else None

    @property
    def kept(self) -> bool:
        """Whether nothing was lost, late or piled up."""
        return (
            self.dropped == self.lost == self.refused == 0
            and self.used == self.received
            and self.late < LAG_LIMIT
            and self.lags[1] <= LAG_LIMIT
            and self.windows >= 0.95 * WINDOWS_PER_SECOND
        )

    def line(self) -> str:
        """Return the row for people."""
        median, p99, worst = (f"{1e3 * lag:.0f}" for lag in self.lags)
        return (
            f"{self.work:44}{'kept' if self.kept else 'NOT KEPT'}: {self.reached:.0f} Hz of "
            f"{self.blob / 1e6:.2f} MB, {self.used} of {self.received} used, {self.lost} lost, "
            f"{self.dropped} dropped   lag {median} ms, p99 {p99} (wanted ≤ {1e3 * LAG_LIMIT:.0f}),"
            f" worst {worst}   windows {self.windows:.1f} Hz   queue ≤ {self.queue:.0f} MiB   "
            f"daemon {self.cpu:.2f} cores, {self.memory:.0f} MiB, detector "
            f"{self.detector_cpu:.2f} cores, others {self.elsewhere:.2f}"
        )

    def record(self) -> dict[str, object]:
        """Return the row for programs."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return fields | {"kept": self.kept}


@dataclass(frozen=True, slots=True, kw_only=True)
class Knee:
    """Up to which rate a daemon keeps pace."""

    work: str
    kept: float
    """Hz, the highest of the rates tried in a row that was; 0 for none."""
    not_kept: float | None
    """Hz, the next one; None where all were kept."""

    @property
    def met(self) -> bool:
        """Whether it is as high as was wanted."""
        return self.kept >= KNEE_WANTED

    def line(self) -> str:
        """Return the row for people."""
        end = "no end was found" if self.not_kept is None else f"{self.not_kept:.0f} Hz not"
        verdict = "as wanted" if self.met else "NOT MET"
        wanted = f"(wanted ≥ {KNEE_WANTED:.0f} Hz)"
        return f"{self.work:44}{self.kept:.0f} Hz kept, {end} {wanted}   {verdict}"

    def record(self) -> dict[str, object]:
        """Return the row for programs."""
        return {name: getattr(self, name) for name in self.__slots__} | {"wanted": KNEE_WANTED}

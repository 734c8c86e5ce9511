"""How much of the daemon's time its clients may take: each its share, and all together a little."""

from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


class Rates:
    """Requests per second, for each peer; a bucket of tokens that refills."""

    def __init__(self, *, rate: float, burst: float, most: int = 1000) -> None:
        """Make it.

        Parameters
        ----------
        rate, burst : float
            Requests per s for long, and at once.
        most : int
            Peers that are remembered; the one unheard of for the longest is forgotten first.
        """
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: dict[bytes, _Bucket] = {}

    def allow(self, peer: bytes, now: float) -> bool:
        """Tell whether a peer may ask once more; ``now`` in s of a steady clock."""
        bucket = self._buckets.pop(peer, None) or _Bucket(self._burst, now)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled) * self._rate)
        bucket.filled = now
        while len(self._buckets) >= self._most:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[peer] = bucket
        if bucket.tokens < 1.0:
            return False
        bucket.tokens -= 1.0
        return True


class Thrift:
    """A share of one core, with some saved up for a busy moment."""

    def __init__(self, *, share: float, saved: float) -> None:
        """Make it; ``share`` in s per s, ``saved`` in s."""
        self._share = share
        self._most = saved
        self._saved = saved
        self._counted = 0.0

    def spend(self, seconds: float, now: float) -> None:
        """Note CPU time that was taken."""
        self._fill(now)
        self._saved -= seconds

    def debt(self, now: float) -> float:
        """Return s to wait before more is taken; 0 where there is something left."""
        self._fill(now)
        return max(0.0, -self._saved / self._share)

    def _fill(self, now: float) -> None:
        if self._counted:
            gained = max(0.0, now - self._counted) * self._share
            self._saved = min(self._most, self._saved + gained)
        self._counted = now

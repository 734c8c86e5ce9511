"""The keys of a daemon: its own, and those of everybody who may connect, with their roles."""

import math
import os
import re
import stat
import threading
import time
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import zmq

from livepdf.errors import FileError
from livepdf.wire.keys import ClientKey, is_z85
from livepdf.wire.messages import Role

SERVER = "server.toml"
CLIENTS = "clients"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,39}", re.ASCII)
_ROLES: tuple[Role, ...] = ("viewer", "controller")
_FRESH = 1.0
"""s: a key that is revoked is refused after that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Somebody who may connect."""

    name: str
    role: Role
    public: str
    made: str
    """Date and time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The daemon's own key."""

    public: str
    secret: str


class Keyring:
    """Reads the directory of keys again and again: made and revoked ones count at once."""

    def __init__(self, directory: Path) -> None:
        """Read the keys.

        Raises
        ------
        FileError
            When the daemon's own key is missing, no key, or readable by others.
        """
        self.directory = directory
        self.server = read_server(directory)
        self._lock = threading.Lock()
        self._roles: dict[str, Role] = {}
        self._read = -math.inf
        self._lost = False
        self.fresh = _FRESH
        """s for which what was read holds."""

    def role(self, public: str) -> Role | None:
        """Return what the owner of that key may do; None for a key that is not known."""
        with self._lock:
            self._look()
            return self._roles.get(public)

    def lost_a_key(self) -> bool:
        """Tell whether a key has been revoked since this was asked last."""
        with self._lock:
            self._look()
            lost, self._lost = self._lost, False
            return lost

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._read >= self.fresh:
            roles = {known.public: known.role for known in list_clients(self.directory)}
            self._lost = self._lost or not self._roles.keys() <= roles.keys()
            self._roles, self._read = roles, now


def make_server(directory: Path) -> Pair:
    """Return the daemon's own key; it is made where there is none. Raises FileError."""
    path = directory / SERVER
    if not path.exists():
        public, secret = zmq.curve_keypair()
        text = f'public = "{public.decode()}"\nsecret = "{secret.decode()}"\n'
        try:
            (directory / CLIENTS).mkdir(parents=True, exist_ok=True, mode=0o700)
            write_secret(path, f"# The key of a livepdf daemon. Keep it to yourself.\n{text}")
        except OSError as error:
            raise FileError(f"{path}: {error.strerror or error}") from None
    return read_server(directory)


def read_server(directory: Path) -> Pair:
    """Read the daemon's own key; FileError where it cannot be trusted."""
    path = directory / SERVER
    try:
        mode = path.stat().st_mode
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}; see `livepdf keys make`") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{path} is no key: {error}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise FileError(f"{path} can be read by others: chmod 600 {path}")
    public, secret = str(tree.get("public", "")), str(tree.get("secret", ""))
    if not (is_z85(public) and is_z85(secret)):
        raise FileError(f"{path} is no key")
    return Pair(public=public, secret=secret)


def make_client(directory: Path, *, name: str, role: Role) -> ClientKey:
    """Make a key for somebody and note its public half; FileError where that cannot be."""
    if not _NAME.fullmatch(name):
        raise FileError(f"{name!r} is no name for a key: letters, digits, dots, dashes")
    server = make_server(directory)
    public, secret = (half.decode() for half in zmq.curve_keypair())
    made = datetime.now(tz=UTC).isoformat(timespec="seconds")
    path = directory / CLIENTS / f"{name}.toml"
    try:
        write_secret(path, f'role = "{role}"\npublic = "{public}"\nmade = "{made}"\n')
    except FileExistsError:
        raise FileError(f"there is a key of {name} already: revoke it first") from None
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None
    return ClientKey(name=name, role=role, server=server.public, public=public, secret=secret)


def list_clients(directory: Path) -> list[Known]:
    """Return everybody who may connect; a file that is no key lets nobody in."""
    try:
        paths = sorted((directory / CLIENTS).glob("*.toml"))
    except OSError:
        return []
    return [known for path in paths if (known := _known(path)) is not None]


def revoke(directory: Path, name: str) -> None:
    """Let the owner of a key in no longer; FileError where there is none of that name."""
    path = directory / CLIENTS / f"{name}.toml"
    if not _NAME.fullmatch(name) or not path.exists():
        names = ", ".join(known.name for known in list_clients(directory)) or "none"
        raise FileError(f"there is no key of {name!r:.60} in {directory}; known: {names}")
    try:
        path.unlink()
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None


def write_secret(path: Path, text: str) -> None:
    """Write a new file that only its owner can read; raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def _known(path: Path) -> Known | None:
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None
    role, public = tree.get("role"), str(tree.get("public", ""))
    if role not in _ROLES or not is_z85(public):
        return None
    return Known(name=path.stem, role=role, public=public, made=str(tree.get("made", "")))

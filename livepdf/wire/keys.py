"""The key file of one viewer: what it shows to a daemon that wants keys, and whom it expects."""

import os
import string
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec
import zmq

from livepdf.errors import FileError

_Z85 = frozenset(string.ascii_letters + string.digits + ".-:+=^!/*?&<>()[]{}@%$#")
VARIABLE = "LIVEPDF_KEY"
"""Environment variable that names the key file."""
_HEADING = """# A livepdf key: whoever has this file may connect. Keep it to yourself (chmod 600).
# Use it with `livepdf --key FILE gui ADDRESS`, or name it in LIVEPDF_KEY.
"""


class ClientKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Both halves of a viewer's key, and the public half of the daemon's."""

    name: str
    role: Literal["viewer", "controller"]
    server: str
    """40 letters in Z85, like the others."""
    public: str
    secret: str

    def use(self, socket: "zmq.Socket[bytes]") -> None:
        """Let a socket that will connect show this key and talk to that daemon alone."""
        socket.curve_serverkey = self.server.encode()
        socket.curve_publickey = self.public.encode()
        socket.curve_secretkey = self.secret.encode()

    def toml(self) -> str:
        """Return the text of its file."""
        fields: dict[str, Any] = msgspec.structs.asdict(self)
        return _HEADING + "".join(f'{name} = "{value}"\n' for name, value in fields.items())


def read_client_key(path: Path) -> ClientKey:
    """Read a key file.

    Raises
    ------
    FileError
        When it cannot be read or is no key file.
    """
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        key = msgspec.convert(tree, ClientKey)
    except OSError as error:
        raise FileError(f"key file {path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise FileError(f"{path} is no key file: {error}") from None
    for name, half in (("server", key.server), ("public", key.public), ("secret", key.secret)):
        if not is_z85(half):
            raise FileError(f"{path} is no key file: {name} is not 40 letters of Z85")
    return key


def key_from_environment() -> ClientKey | None:
    """Return the key that the environment names, None where it names none; raises FileError."""
    named = os.environ.get(VARIABLE)
    return read_client_key(Path(named)) if named else None


def is_z85(text: str) -> bool:
    """Whether it is half a key as ZeroMQ writes it."""
    return len(text) == 40 and all(c in _Z85 for c in text)

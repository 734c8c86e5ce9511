"""Keys: written is read, a secret is its owner's alone, and what is no key opens nothing."""

import stat
import tomllib
from pathlib import Path

import msgspec
import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livepdf.daemon.keyring import (
    CLIENTS,
    SERVER,
    Keyring,
    list_clients,
    make_client,
    make_server,
    read_server,
    revoke,
)
from livepdf.errors import FileError
from livepdf.wire.keys import is_z85, read_client_key


def belong(public: str, secret: str) -> bool:
    """Whether two halves are of one key, as libzmq calculates it."""
    return zmq.curve_public(secret.encode()).decode() == public


def test_both_halves_of_every_key_belong_together_and_the_secret_is_with_its_owner_alone(
    tmp_path: Path,
) -> None:
    key = make_client(tmp_path, name="anna", role="viewer")
    server = make_server(tmp_path)

    assert belong(server.public, server.secret)
    assert belong(key.public, key.secret)
    assert key.server == server.public
    kept = (tmp_path / CLIENTS / "anna.toml").read_text()
    assert key.public in kept
    assert key.secret not in kept
    for path in tmp_path.rglob("*.toml"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE((tmp_path / CLIENTS).stat().st_mode) & 0o077 == 0


def test_the_daemon_keeps_its_key_whoever_gets_one(tmp_path: Path) -> None:
    first = make_server(tmp_path)
    make_client(tmp_path, name="anna", role="viewer")

    assert make_server(tmp_path) == read_server(tmp_path) == first


def test_a_key_file_that_is_written_and_read_is_the_same_key(tmp_path: Path) -> None:
    key = make_client(tmp_path, name="anna", role="controller")
    path = tmp_path / "anna.key"
    path.write_text(key.toml(), encoding="utf-8")

    assert read_client_key(path) == key


def test_a_ring_knows_who_is_listed_by_role_and_nobody_else(tmp_path: Path) -> None:
    keys = {
        "anna": make_client(tmp_path, name="anna", role="viewer"),
        "bob": make_client(tmp_path, name="bob", role="controller"),
    }
    ring = Keyring(tmp_path)

    assert {name: ring.role(key.public) for name, key in keys.items()} == {
        "anna": "viewer",
        "bob": "controller",
    }
    assert {known.name: known.public for known in list_clients(tmp_path)} == {
        name: key.public for name, key in keys.items()
    }
    for stranger in ("", "local", keys["anna"].secret, keys["anna"].public[:-1]):
        assert ring.role(stranger) is None


def test_a_name_is_given_once_until_its_key_is_revoked(tmp_path: Path) -> None:
    make_client(tmp_path, name="anna", role="viewer")
    with pytest.raises(FileError, match="a key of anna already"):
        make_client(tmp_path, name="anna", role="controller")

    revoke(tmp_path, "anna")
    with pytest.raises(FileError, match="no key of 'anna'"):
        revoke(tmp_path, "anna")
    assert make_client(tmp_path, name="anna", role="controller").role == "controller"


@given(name=st.text(max_size=60))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_name_leads_out_of_the_directory(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "inner" / "keys"
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(folder)}
    try:
        made = make_client(folder, name=name, role="viewer")
    except FileError:
        return
    outside = {path for path in tmp_path.rglob("*") if not path.is_relative_to(folder)}
    assert outside <= before | {folder.parent}
    assert (folder / CLIENTS / f"{name}.toml").resolve().parent == (folder / CLIENTS).resolve()
    revoke(folder, made.name)


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".", "..", "a\n", "x" * 41, "é", "-rf", "\0"])
def test_what_is_no_name_is_refused_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match="no name for a key"):
        make_client(tmp_path, name=name, role="viewer")
    with pytest.raises(FileError, match="no key of"):
        revoke(tmp_path, name)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622, 0o777])
def test_a_daemons_key_that_others_can_touch_is_not_used(tmp_path: Path, mode: int) -> None:
    make_server(tmp_path)
    (tmp_path / SERVER).chmod(mode)

    with pytest.raises(FileError, match="chmod 600"):
        Keyring(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "not toml [", 'public = "short"\nsecret = "short"', "public = 5\nsecret = 5", "\ufffd\0"],
)
def test_what_is_no_key_of_a_daemon_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    (tmp_path / SERVER).write_text(text)
    (tmp_path / SERVER).chmod(0o600)

    with pytest.raises(FileError, match="is no key"):
        read_server(tmp_path)


@given(text=st.one_of(st.text(max_size=80), st.binary(max_size=80)))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_file_among_the_keys_that_is_none_lets_nobody_in_and_keeps_nobody_out(
    tmp_path: Path, text: str | bytes
) -> None:
    folder = tmp_path / "keys"
    anna = tmp_path / "anna.key"
    if not anna.exists():
        anna.write_text(make_client(folder, name="anna", role="viewer").toml())
    data = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
    (folder / CLIENTS / "odd.toml").write_bytes(data)

    assert [known.name for known in list_clients(folder)] == ["anna"]
    assert Keyring(folder).role(read_client_key(anna).public) == "viewer"


def test_a_role_that_does_not_exist_is_no_role(tmp_path: Path) -> None:
    key = make_client(tmp_path, name="anna", role="viewer")
    path = tmp_path / CLIENTS / "anna.toml"
    path.write_text(path.read_text().replace("viewer", "root"))

    assert Keyring(tmp_path).role(key.public) is None


def test_losing_a_key_is_told_once_and_getting_one_never(tmp_path: Path) -> None:
    make_client(tmp_path, name="anna", role="viewer")
    make_client(tmp_path, name="bob", role="viewer")
    ring = Keyring(tmp_path)
    ring.fresh = 0.0

    assert not ring.lost_a_key()
    make_client(tmp_path, name="carl", role="viewer")
    assert not ring.lost_a_key()
    revoke(tmp_path, "bob")
    assert ring.lost_a_key()
    assert not ring.lost_a_key()


@given(st.text(alphabet=st.characters(codec="ascii"), min_size=40, max_size=40))
def test_half_a_key_has_the_letters_of_z85_alone(text: str) -> None:
    letters = (
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    )

    assert is_z85(text) == all(letter in letters for letter in text)


def test_every_key_that_zeromq_makes_is_taken() -> None:
    assert all(is_z85(half.decode()) for _ in range(50) for half in zmq.curve_keypair())


def test_a_viewers_key_file_that_is_damaged_is_refused_in_words(tmp_path: Path) -> None:
    key = make_client(tmp_path, name="anna", role="viewer")
    path = tmp_path / "anna.key"
    fields = msgspec.structs.asdict(key)
    for name in fields:
        text = "".join(f'{k} = "{v}"\n' for k, v in fields.items() if k != name)
        path.write_text(text)
        assert name not in tomllib.loads(text)
        with pytest.raises(FileError, match="is no key file"):
            read_client_key(path)
    path.write_text(msgspec.structs.replace(key, secret=key.secret[:-1] + '\\"').toml())
    with pytest.raises(FileError, match="is no key file"):
        read_client_key(path)

"""Who may change things, decided without a socket."""

from livepdf.daemon.baton import Baton
from livepdf.wire.messages import MarkRequest, PauseRequest, SnapshotRequest
from livepdf.wire.tuning import ApplyRequest, PreviewRequest
from livepdf.wire.views import LAPSE, ControlRequest

PAUSE = PauseRequest(paused=True)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _made() -> tuple[Baton, Clock, list[str]]:
    said: list[str] = []
    clock = Clock()
    return Baton(tell=said.append, clock=clock), clock, said


def _take(name: str, *, force: bool = False) -> ControlRequest:
    return ControlRequest(name=name, take=True, force=force)


def test_while_nobody_holds_control_anybody_may_change_things() -> None:
    baton, _, _ = _made()

    assert baton.holder() == ""
    assert baton.refusal(b"a", PAUSE) == ""


def test_one_holds_control_and_the_others_look_on_and_mark() -> None:
    baton, _, _ = _made()
    assert baton.ask(b"a", _take("anna")).here

    assert not baton.ask(b"b", _take("bert")).here
    assert baton.refusal(b"a", PAUSE) == ""
    for change in (PAUSE, ApplyRequest(changes={})):
        assert "anna has control" in baton.refusal(b"b", change)
    for look in (SnapshotRequest(), MarkRequest(text="x"), PreviewRequest(changes={})):
        assert baton.refusal(b"b", look) == ""


def test_taking_it_from_somebody_is_told() -> None:
    baton, _, said = _made()
    baton.ask(b"a", _take("anna"))

    reply = baton.ask(b"b", _take("bert", force=True))

    assert (reply.holder, reply.here) == ("bert", True)
    assert said == ["bert took control from anna"]
    assert baton.refusal(b"a", PAUSE) != ""


def test_who_is_silent_for_long_has_let_go_and_who_speaks_keeps_it() -> None:
    baton, clock, _ = _made()
    baton.ask(b"a", _take("anna"))
    clock.now = 0.9 * LAPSE
    baton.ask(b"a", _take("anna"))
    clock.now = 1.5 * LAPSE
    assert baton.holder() == "anna"

    clock.now = 2.0 * LAPSE

    assert baton.holder() == ""
    assert baton.ask(b"b", _take("bert")).here


def test_only_the_holder_lets_go() -> None:
    baton, _, _ = _made()
    baton.ask(b"a", _take("anna"))

    baton.ask(b"b", ControlRequest(name="bert", take=False))
    assert baton.holder() == "anna"
    baton.ask(b"a", ControlRequest(name="anna", take=False))
    assert baton.holder() == ""


def test_a_name_holds_nothing_that_moves_a_terminals_cursor() -> None:
    baton, _, _ = _made()

    assert baton.ask(b"a", _take("an\x1b[2Jna" + "x" * 100)).holder.startswith("an[2Jna")
    assert len(baton.holder()) <= 60

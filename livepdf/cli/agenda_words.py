"""What `livepdf check` says about the analyses that a recipe asks for."""

from collections.abc import Iterator, Sequence

from livepdf.analysis.declared import MEASURED_ON, Need
from livepdf.daemon.agenda import Planned


def agenda_lines(plan: Sequence[Planned]) -> Iterator[str]:
    """Yield lines for people: what is followed, for how much, what is not and how to give it."""
    followed = [one for one in plan if not one.missing]
    if followed:
        cost = sum(one.cost for one in followed)
        yield f"followed, about {cost:.0f} ms a window ({MEASURED_ON}):"
    for one in followed:
        told = one.declared
        gives, takes = ", ".join(told.gives), ", ".join(told.takes)
        yield f"  {told.name} ({one.cost:g} ms), from {takes}: {gives}"
        for more in one.less:
            yield f"    {more.gives}: {_wanted(more.need)}"
    others = [one for one in plan if one.missing]
    if others:
        yield "not followed:"
    for one in others:
        yield f"  {one.declared.name}: {'; '.join(_wanted(need) for need in one.missing)}"


def agenda_plain(plan: Sequence[Planned]) -> list[dict[str, object]]:
    """Return the same for programs."""
    return [
        {
            "analysis": one.declared.name,
            "gives": list(one.declared.gives),
            "takes": list(one.declared.takes),
            "milliseconds": one.cost,
            "missing": [_wanted(need) for need in one.missing],
            "without": {more.gives: _wanted(more.need) for more in one.less},
        }
        for one in plan
    ]


def _wanted(need: Need) -> str:
    if need.place == "run":
        return f"needs {need.what} in the run: {need.key} names it"
    key = f"[[{need.key}]]" if need.table else need.key
    return f"needs {need.what}: {key} in the {need.place}"

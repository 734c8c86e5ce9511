"""What `livepdf model` does between its options and its lines."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.agreement import agreement
from livepdf.analysis.ensemble import TAIL, build_ensemble, ensemble_fq, xray_amplitudes
from livepdf.errors import Complaint, ConfigError, FileError
from livepdf.files.columns import read_columns
from livepdf.files.pdf_config import read_pdf_config
from livepdf.files.snapshots import read_snapshots
from livepdf.files.structures import read_structure, structure_names
from livepdf.model.curve import Curve, CurveKind
from livepdf.model.snapshot import Snapshot
from livepdf.numerics.composition import parse_composition
from livepdf.numerics.form_factors import mean_form_factors
from livepdf.numerics.neutron import mean_scattering_lengths
from livepdf.numerics.tapers import TaperKind
from livepdf.reduction.curves import structure_factor, window_model
from livepdf.reduction.parameters import Mode
from livepdf.reduction.plan import Plan, build_plan
from livepdf.reduction.recipes import plan_extras, plan_header
from livepdf.sinks.columns import write_curve

Floats = NDArray[np.float64]

STILL = 0.005
"""Å², Uiso of a model that does not move and says none: that of most solids at room temperature."""
COMPARED_FROM = 1.5
"""Å; below, data hold no distances but what the reduction left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for; None where nothing was."""

    file: str
    like: Path | None = None
    qmin: float | None = None
    qmax: float | None = None
    rpoly: float | None = None
    taper: str | None = None
    rmin: float | None = None
    rmax: float | None = None
    rstep: float | None = None
    energy: float | None = None
    qdamp: float = 0.0
    uiso: float | None = None
    diameter: float | None = None
    species: str | None = None
    start: int = 0
    every: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The window that a model is seen through."""

    qmin: float = 0.8
    qmax: float = 20.0
    qmaxinst: float = 20.0
    rpoly: float = 0.0
    rmin: float = 0.0
    rmax: float = 30.0
    rstep: float = 0.01
    taper: str = "none"
    mode: str = "xray"
    energy: float | None = None
    composition: Mapping[str, float] = field(default_factory=dict)
    """Empty for the model's own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Modelled:
    """The curves of a model and how they agree with data."""

    plan: Plan
    fq: Floats
    """(n_q,) on ``plan.q``."""
    gr: Floats
    """(n_r,) on ``plan.r``."""
    species: tuple[str, ...]
    atoms: int
    steps: int
    agreement: tuple[float, float] | None
    """Scale and Rw."""
    warnings: tuple[str, ...]


def calculate(wanted: Wanted) -> Modelled:
    """Read the model, average it and push it through the window. FileError says what fails."""
    frame = _frame(wanted)
    snapshots, uiso = _model(wanted)
    first = next(snapshots)
    atoms = len(first.elements)
    try:
        ensemble = build_ensemble(_again(first, snapshots), r_max=frame.rmax)
    except ValueError as error:
        raise FileError(f"{wanted.file}: {error}") from None
    composition = frame.composition or dict(Counter(first.elements))
    plan = _plan(frame, composition)
    q = np.maximum(plan.q, 1e-3)
    f, mean_f2 = _amplitudes(frame, composition, ensemble.species, q)
    fq = ensemble_fq(
        ensemble,
        q=q,
        amplitudes=f,
        mean_f2=mean_f2,
        uiso=_displacements(wanted, ensemble.species, uiso, ensemble.snapshots),
        qdamp=wanted.qdamp,
        diameter=np.inf if wanted.diameter is None else wanted.diameter,
    )
    gr = window_model(plan, fq, project=True)
    return Modelled(
        plan=plan,
        fq=fq,
        gr=gr,
        species=ensemble.species,
        atoms=atoms,
        steps=ensemble.snapshots,
        agreement=_agreement(wanted, plan, gr),
        warnings=_warnings(wanted, first, ensemble.half_box, frame, ensemble.species),
    )


def compare_run(done: Modelled, wanted: Wanted) -> list[tuple[int, float, float]]:
    """Return number, scale and Rw of every window of results; none where no results are told."""
    if wanted.like is None or wanted.like.suffix != ".nxs":
        return []
    from livepdf.daemon.rerun import analyse_run, pipeline_of
    from livepdf.sinks.nexus_run import StoredRun

    found = []
    with StoredRun(wanted.like) as run:
        for again in analyse_run(run, pipeline_of(run)):
            gr = again.result.curve("gr")
            model = np.interp(gr.x, done.plan.r, done.gr, right=np.nan)
            used = (gr.x >= COMPARED_FROM) & np.isfinite(model) & np.isfinite(gr.y)
            scale, rw = agreement(data=gr.y[used], model=model[used], sigma=gr.sigma[used])
            found.append((again.result.span.number, scale, rw))
    return found


def write_modelled(done: Modelled, *, out: Path, kinds: Sequence[CurveKind]) -> list[Path]:
    """Write the wanted curves; FileError where that cannot be, or for I(Q), which has no scale."""
    plan, window = done.plan, done.plan.window
    q, fq = plan.q[window], done.fq[window]
    unknown = np.full(q.shape, np.nan)
    sq, _ = structure_factor(q=q, fq=fq, sigma=unknown)
    curves: dict[CurveKind, Curve] = {
        "gr": Curve(kind="gr", x=plan.r, y=done.gr, sigma=np.full(plan.r.shape, np.nan)),
        "fq": Curve(kind="fq", x=q, y=fq, sigma=unknown),
        "sq": Curve(kind="sq", x=q, y=sq, sigma=unknown),
    }
    if missing := [kind for kind in kinds if kind not in curves]:
        raise FileError(f"a model has no {', '.join(missing)}, wanted sq, fq or gr")
    written = []
    for kind in kinds:
        path = out if kind == "gr" else out.with_suffix(f".{kind}")
        header = {**plan_header(plan), "inputfile": "model"}
        write_curve(path, curves[kind], header=header, extras=plan_extras(plan))
        written.append(path)
    return written


def _frame(wanted: Wanted) -> Frame:
    told = Frame() if wanted.like is None else _frame_of(wanted.like)
    chosen: dict[str, object] = {
        name: value
        for name in ("qmin", "qmax", "rpoly", "taper", "rmin", "rmax", "rstep", "energy")
        if (value := getattr(wanted, name)) is not None
    }
    if wanted.qmax is not None:
        chosen["qmaxinst"] = max(wanted.qmax, told.qmaxinst if wanted.like else wanted.qmax)
    fields = {name: getattr(told, name) for name in Frame.__dataclass_fields__}
    return Frame(**{**fields, **chosen})


def _frame_of(like: Path) -> Frame:
    if like.suffix == ".nxs":
        from livepdf.daemon.rerun import pipeline_of
        from livepdf.sinks.nexus_run import StoredRun

        with StoredRun(like) as run:
            p = pipeline_of(run).plan.parameters
        return Frame(
            **{n: getattr(p, n) for n in ("qmin", "qmax", "qmaxinst", "rpoly", "rmin", "rmax")},
            rstep=p.rstep,
            taper=p.taper,
            mode=p.mode,
            energy=p.energy if p.dispersion else None,
            composition=p.composition,
        )
    config = read_pdf_config(like)
    columns = read_columns(like)
    r = columns.x
    return Frame(
        qmin=config.qmin,
        qmax=config.qmax,
        qmaxinst=config.qmaxinst,
        rpoly=config.rpoly,
        rmin=float(r[0]),
        rmax=float(r[-1]),
        rstep=float((r[-1] - r[0]) / (r.size - 1)),
        taper=config.taper,
        mode=config.mode,
        energy=config.energy if config.dispersion else None,
        composition=parse_composition(config.composition),
    )


def _model(wanted: Wanted) -> tuple[Iterator[Snapshot], dict[str, float]]:
    """Return the steps and the Uiso of each element that the file tells."""
    path = Path(wanted.file)
    if wanted.file.lower() in structure_names() or path.suffix.lower() == ".cif":
        s = read_structure(wanted.file)
        means = {
            name: float(np.mean(s.uiso[s.species_index == k])) for k, name in enumerate(s.species)
        }
        known = {name: u for name, u in means.items() if np.isfinite(u)}
        one = Snapshot(elements=s.elements, cartesian=s.positions @ s.cell, cell=s.cell)
        return iter([one]), known
    elements = [] if wanted.species is None else [e.strip() for e in wanted.species.split(",")]
    return read_snapshots(path, species=elements, start=wanted.start, every=wanted.every), {}


def _again(first: Snapshot, others: Iterator[Snapshot]) -> Iterator[Snapshot]:
    yield first
    yield from others


def _plan(frame: Frame, composition: Mapping[str, float]) -> Plan:
    # Fine enough that nothing within twice the range of r folds back.
    step = min(0.01, np.pi / (2 * (frame.rmax + TAIL)))
    try:
        return build_plan(
            q=np.asarray(step * np.arange(int(frame.qmaxinst / step) + 2), dtype=np.float64),
            composition=composition,
            qmin=frame.qmin,
            qmax=frame.qmax,
            qmaxinst=frame.qmaxinst,
            rpoly=frame.rpoly,
            rmin=frame.rmin,
            rmax=frame.rmax,
            rstep=frame.rstep,
            taper=cast(TaperKind, frame.taper),
            mode=cast(Mode, frame.mode),
            energy=frame.energy,
            dispersion=frame.energy is not None and frame.mode == "xray",
            errors=False,
        )
    except ValueError as error:
        wanted = "limits that go together"
        raise ConfigError([Complaint("livepdf model", "limits", str(error), wanted)]) from None


def _amplitudes(
    frame: Frame, composition: Mapping[str, float], species: Sequence[str], q: Floats
) -> tuple[NDArray[np.complex128], Floats]:
    if frame.mode == "neutron":
        each = [mean_scattering_lengths(q=q, composition={e: 1.0})[0] for e in species]
        mean = mean_scattering_lengths(q=q, composition=composition)[0]
        return np.array(each, dtype=np.complex128), mean**2
    mean = mean_form_factors(q=q, composition=composition, energy=frame.energy)[0]
    return xray_amplitudes(species, q, energy=frame.energy), mean**2


def _displacements(
    wanted: Wanted, species: Sequence[str], known: Mapping[str, float], steps: int
) -> Floats:
    if wanted.uiso is not None:
        return np.full(len(species), wanted.uiso)
    if steps > 1:
        return np.zeros(len(species))
    return np.array([known.get(name, STILL) for name in species])


def _agreement(wanted: Wanted, plan: Plan, gr: Floats) -> tuple[float, float] | None:
    if wanted.like is None or wanted.like.suffix == ".nxs":
        return None
    data = read_columns(wanted.like)
    model = np.interp(data.x, plan.r, gr, left=np.nan, right=np.nan)
    used = (data.x >= COMPARED_FROM) & np.isfinite(model) & np.isfinite(data.y)
    sigma = None if data.sigma is None else data.sigma[used]
    return agreement(data=data.y[used], model=model[used], sigma=sigma)


def _warnings(
    wanted: Wanted, first: Snapshot, half_box: float, frame: Frame, species: Sequence[str]
) -> tuple[str, ...]:
    warnings = []
    whole_crystal = wanted.file.lower() in structure_names() or wanted.file.endswith(".cif")
    if half_box < frame.rmax and not whole_crystal:
        warnings.append(f"the box repeats itself beyond {half_box:.1f} A, half of its width")
    if first.cell is None and wanted.diameter is not None:
        warnings.append("--diameter does not change a cluster")
    others = sorted(set(species) - set(frame.composition)) if frame.composition else []
    if others:
        warnings.append(f"the data's composition has no {', '.join(others)}")
    return tuple(warnings)

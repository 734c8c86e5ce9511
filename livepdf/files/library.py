"""Published crystal structures that livepdf knows by name: asymmetric units with their papers.

Displacements are round values for room temperature (Å²), not those of the papers: most of them
were refined without.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One atom of the asymmetric unit."""

    element: str
    position: tuple[float, float, float]
    uiso: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a paper gives: cell, space group (Hermann-Mauguin, with its setting), sites."""

    lengths: tuple[float, float, float]
    angles: tuple[float, float, float]
    space_group: str
    sites: tuple[Site, ...]
    source: str


_RIGHT = (90.0, 90.0, 90.0)


def _rutile(
    metal: str, *, a: float, c: float, x: float, u: tuple[float, float], source: str
) -> Entry:
    return Entry(
        lengths=(a, a, c),
        angles=_RIGHT,
        space_group="P 42/m n m",
        sites=(
            Site(element=metal, position=(0.0, 0.0, 0.0), uiso=u[0]),
            Site(element="O", position=(x, x, 0.0), uiso=u[1]),
        ),
        source=source,
    )


def _fcc_metal(metal: str, *, a: float, u: float, source: str) -> Entry:
    return Entry(
        lengths=(a, a, a),
        angles=_RIGHT,
        space_group="F m -3 m",
        sites=(Site(element=metal, position=(0.0, 0.0, 0.0), uiso=u),),
        source=source,
    )


LIBRARY: dict[str, Entry] = {
    "hfo2-monoclinic": Entry(
        lengths=(5.1156, 5.1722, 5.2948),
        angles=(90.0, 99.18, 90.0),
        space_group="P 1 21/c 1",
        sites=(
            Site(element="Hf", position=(0.2760, 0.0404, 0.2081), uiso=0.0040),
            Site(element="O", position=(0.0740, 0.3320, 0.3470), uiso=0.0070),
            Site(element="O", position=(0.4490, 0.7580, 0.4800), uiso=0.0070),
        ),
        source="R. Ruh & P. W. R. Corfield, J. Am. Ceram. Soc. 53 (1970) 126",
    ),
    "zro2-monoclinic": Entry(
        lengths=(5.1505, 5.2116, 5.3173),
        angles=(90.0, 99.230, 90.0),
        space_group="P 1 21/c 1",
        sites=(
            Site(element="Zr", position=(0.2754, 0.0395, 0.2083), uiso=0.0045),
            Site(element="O", position=(0.0700, 0.3317, 0.3447), uiso=0.0070),
            Site(element="O", position=(0.4496, 0.7569, 0.4792), uiso=0.0070),
        ),
        source="C. J. Howard, R. J. Hill & B. E. Reichert, Acta Cryst. B44 (1988) 116",
    ),
    "tio2-anatase": Entry(
        lengths=(3.7842, 3.7842, 9.5146),
        angles=_RIGHT,
        space_group="I 41/a m d :1",
        sites=(
            Site(element="Ti", position=(0.0, 0.0, 0.0), uiso=0.0050),
            Site(element="O", position=(0.0, 0.0, 0.2081), uiso=0.0075),
        ),
        source="M. Horn, C. F. Schwerdtfeger & E. P. Meagher, Z. Kristallogr. 136 (1972) 273",
    ),
    "tio2-rutile": _rutile(
        "Ti",
        a=4.5937,
        c=2.9587,
        x=0.30479,
        u=(0.0050, 0.0060),
        source="S. C. Abrahams & J. L. Bernstein, J. Chem. Phys. 55 (1971) 3206",
    ),
    "sno2-rutile": _rutile(
        "Sn",
        a=4.7374,
        c=3.1864,
        x=0.3056,
        u=(0.0040, 0.0070),
        source="A. A. Bolzan et al., Acta Cryst. B53 (1997) 373",
    ),
    "ceo2": Entry(
        lengths=(5.4111, 5.4111, 5.4111),
        angles=_RIGHT,
        space_group="F m -3 m",
        sites=(
            Site(element="Ce", position=(0.0, 0.0, 0.0), uiso=0.0030),
            Site(element="O", position=(0.25, 0.25, 0.25), uiso=0.0060),
        ),
        source="NIST Standard Reference Material 674b certificate (cell); fluorite type",
    ),
    "lab6": Entry(
        lengths=(4.15683, 4.15683, 4.15683),
        angles=_RIGHT,
        space_group="P m -3 m",
        sites=(
            Site(element="La", position=(0.0, 0.0, 0.0), uiso=0.0060),
            Site(element="B", position=(0.1996, 0.5, 0.5), uiso=0.0045),
        ),
        source="NIST Standard Reference Material 660c certificate (cell); CaB6 type",
    ),
    "pt": _fcc_metal(
        "Pt", a=3.9231, u=0.0040, source="H. E. Swanson & E. Tatge, NBS Circular 539 vol. I (1953)"
    ),
    "ni": _fcc_metal(
        "Ni", a=3.5238, u=0.0048, source="H. E. Swanson & E. Tatge, NBS Circular 539 vol. I (1953)"
    ),
    "sio2-cristobalite": Entry(
        lengths=(4.978, 4.978, 6.948),
        angles=_RIGHT,
        space_group="P 41 21 2",
        sites=(
            Site(element="Si", position=(0.3003, 0.3003, 0.0), uiso=0.0060),
            Site(element="O", position=(0.2392, 0.1044, 0.1787), uiso=0.0120),
        ),
        source="W. A. Dollase, Z. Kristallogr. 121 (1965) 369",
    ),
}
"""By the name that recipes use."""

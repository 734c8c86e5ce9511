"""Read the settings of PDFgetX3 and its relatives: a .cfg, or the header of any of its outputs."""

import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from livepdf.errors import Complaint, ConfigError
from livepdf.files.columns import read_text

Format = Literal["QA", "Qnm", "twotheta"]
BackgroundScale = float | Literal["fit", "fit-signed"]
_START = "#### start data"
_SECTIONS = ("PDF", "Misc", "livepdf")
"""Beside [DEFAULT]: those of xPDFsuite, and our own."""
_SCALES = ("lsq", "mean", "high-q", "absolute", "fixed", "monitor", "reference")
_TOLD = ("fixed", "monitor", "reference")
_OWN_TAPERS = ("none", "lorch", "lorch-pdfgetx3", "cosine", "wiener")
_QUANTITIES = ("", "iq", "sq", "fq")
_TAPERS = {"": "none", "none": "none", "step": "none", "lorch": "lorch-pdfgetx3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfConfig:
    """Settings of one reduction, as a file of that family holds them."""

    composition: str
    qmin: float
    qmax: float
    qmaxinst: float
    rpoly: float
    rmin: float
    rmax: float
    rstep: float
    dataformat: Format
    wavelength: float | None
    """Å; only 2θ data need it."""
    twothetazero: float
    """Degrees, subtracted from 2θ."""
    backgrounds: tuple[tuple[str, BackgroundScale], ...]
    """File name and scale of each."""
    cells: tuple[bool, ...]
    """As many: whether each is the sample's own empty capillary."""
    bgscale: BackgroundScale
    """Of a background that the user names instead."""
    scale: str
    scale_value: float | None
    scale_sigma: float
    density: float | None
    """Atoms per Å³."""
    energy: float | None
    """keV"""
    mode: str
    taper: str
    transform: str
    dispersion: bool
    capillary: tuple[float, float, float, float] | None
    """Radius (mm), µ (1/mm), wall (mm), its µ (1/mm)."""
    quantity: str
    """What the y column of the data is: iq, sq or fq; empty where nobody said."""
    minus: str
    """Name of a pattern that was taken off; empty for none."""


def read_pdf_config(
    path: Path, *, section: str | None = None, options: Mapping[str, str] | None = None
) -> PdfConfig:
    """Read a .cfg or a file that carries its settings in its header.

    What PDFgetX3 leaves to its defaults is: qmin 0, rpoly 0.9, bgscale 1, rmin 0, rmax 30,
    rstep 0.01; of qmax and qmaxinst one may stand for the other. Scale ``lsq`` and transform
    ``fft`` repeat its numbers; a ``[livepdf]`` section says otherwise. Keys that do not concern
    the reduction are passed over.

    Parameters
    ----------
    section : str, optional
        Of several samples in one .cfg, which: its keys go before those of ``[DEFAULT]``.
    options : mapping, optional
        Keys that go before all that the file says.

    Raises
    ------
    ConfigError
        With every complaint at once.
    """
    return _Reader(str(path), {**_settings(path, section), **(options or {})}).config()


def header_quantity(header: str) -> str:
    """Return what the header of an output of that family says it holds: iq, sq, fq, gr, or ""."""
    if re.search(r"^\[[^\]\n]+\]", header, re.MULTILINE) is None:
        return ""
    found = re.search(r"^outputtype\s*=\s*(iq|sq|fq|gr)\s*$", header, re.MULTILINE)
    return "" if found is None else found.group(1)


def _settings(path: Path, chosen: str | None) -> Mapping[str, str]:
    text = read_text(path).split(_START, 1)[0]
    opening = re.search(r"^\[[^\]\n]+\]", text, re.MULTILINE)
    if opening is None:
        wanted = "[DEFAULT] or [PDF] with the settings of PDFgetX3, or a recipe ending in .toml"
        raise ConfigError([Complaint(str(path), "sections", "none", wanted)])
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text[opening.start() :])
    except configparser.Error as error:
        found = str(error).replace("\n", " ")
        raise ConfigError([Complaint(str(path), "syntax", found, "key = value lines")]) from None
    settings = dict(parser.defaults())
    for section in (*_SECTIONS, *([] if chosen is None else [chosen])):
        if parser.has_section(section):
            settings.update(parser[section])
    others = [name for name in parser.sections() if name not in _SECTIONS]
    if chosen is not None and chosen not in parser.sections():
        wanted = f"one of {', '.join(others)}" if others else "none: the file has [DEFAULT] alone"
        raise ConfigError([Complaint(str(path), "--section", chosen, wanted)])
    if chosen is None and others and not settings.get("composition", "").strip():
        wanted = f"--section with one of {', '.join(others)}"
        raise ConfigError([Complaint(str(path), "composition", "none in [DEFAULT]", wanted)])
    return settings


class _Reader:
    """Takes values out of the settings and gathers complaints about them."""

    def __init__(self, file: str, settings: Mapping[str, str]) -> None:
        self._file = file
        self._settings = settings
        self._complaints: list[Complaint] = []

    def config(self) -> PdfConfig:
        """Return the settings, or raise all complaints."""
        wavelength = self._number("wavelength", None)
        config = {
            "composition": self._text("composition"),
            "qmin": self._number("qmin", 0.0),
            "qmax": self._needed("qmax", other="qmaxinst"),
            "qmaxinst": self._needed("qmaxinst", other="qmax"),
            "rpoly": self._number("rpoly", 0.9),
            "rmin": self._number("rmin", 0.0, other="xmin"),
            "rmax": self._number("rmax", 30.0, other="xmax"),
            "rstep": self._number("rstep", 0.01, other="xstep"),
            "dataformat": self._choice("dataformat", ("QA", "Qnm", "twotheta"), None),
            "wavelength": wavelength,
            "twothetazero": self._number("twothetazero", 0.0),
            "backgrounds": self._backgrounds(),
            "cells": self._cells(),
            "bgscale": self._scales()[0],
            "scale": self._choice("scale", _SCALES, "lsq"),
            "scale_value": self._number("scale_value", None),
            "scale_sigma": self._number("scale_sigma", 0.0),
            "density": self._number("density", None),
            "energy": self._number("energy", None),
            "mode": self._choice("mode", ("xray", "neutron"), "xray"),
            "taper": self._taper(),
            "transform": self._choice("transform", ("exact", "fft"), "fft"),
            "dispersion": self._choice("dispersion", ("true", "false"), "false") == "true",
            "capillary": self._capillary(),
            "quantity": self._choice("quantity", _QUANTITIES, ""),
            "minus": self._settings.get("minus", "").strip(),
        }
        self._check_limits(config)
        if self._complaints:
            raise ConfigError(self._complaints)
        return PdfConfig(**config)  # type: ignore[arg-type]  # complained about above

    def _complain(self, key: str, found: str, wanted: str) -> None:
        self._complaints.append(Complaint(self._file, key, found, wanted))

    def _text(self, key: str) -> str:
        value = self._settings.get(key, "").strip()
        if not value:
            self._complain(key, "nothing", "a value")
        return value

    def _number(self, key: str, default: float | None, other: str = "") -> float | None:
        text = self._settings.get(key, "").strip() or self._settings.get(other, "").strip()
        return self._parse(key, text) if text else default

    def _needed(self, key: str, *, other: str) -> float | None:
        if not self._settings.get(key, "").strip() and self._settings.get(other, "").strip():
            return self._number(other, None)
        text = self._text(key)
        return self._parse(key, text) if text else None

    def _parse(self, key: str, text: str) -> float | None:
        try:
            return float(text.split("#")[0])
        except ValueError:
            self._complain(key, repr(text), "a number")
            return None

    def _choice(self, key: str, choices: tuple[str, ...], default: str | None) -> str:
        value = self._settings.get(key, "").strip()
        if not value and default is not None:
            return default
        if value not in choices:
            self._complain(key, repr(value) if value else "nothing", " or ".join(choices))
        return value

    def _taper(self) -> str:
        if "taper" in self._settings:
            return self._choice("taper", _OWN_TAPERS, None)
        names = self._settings.get("terminationfunctions", "").strip().lower()
        if names not in _TAPERS:
            self._complain("terminationfunctions", repr(names), "none, step or lorch")
        return _TAPERS.get(names, "none")

    def _scales(self) -> list[BackgroundScale]:
        text = self._settings.get("bgscales") or self._settings.get("bgscale") or "1"
        scales: list[BackgroundScale] = []
        for word in _words(text):
            if word == "fit" or word == "fit-signed":
                scales.append("fit" if word == "fit" else "fit-signed")
                continue
            number = self._parse("bgscale", word)
            scales.append(1.0 if number is None else number)
        return scales or [1.0]

    def _backgrounds(self) -> tuple[tuple[str, BackgroundScale], ...]:
        text = self._settings.get("backgroundfiles") or self._settings.get("backgroundfile") or ""
        names = _names(text)
        scales = self._scales()
        if len(scales) == 1:
            scales = scales * len(names)
        if len(scales) < len(names):
            self._complain("bgscale", f"{len(scales)} values", f"one, or {len(names)}")
        return tuple(zip(names, scales, strict=False))

    def _cells(self) -> tuple[bool, ...]:
        told = [word == "1" for word in _words(self._settings.get("cells", ""))]
        text = self._settings.get("backgroundfiles") or self._settings.get("backgroundfile") or ""
        count = len(_names(text))
        return tuple((told + [False] * count)[:count])

    def _capillary(self) -> tuple[float, float, float, float] | None:
        text = self._settings.get("capillary", "").strip()
        if not text:
            return None
        found = [self._parse("capillary", word) for word in _words(text)]
        numbers = [number for number in found if number is not None]
        if len(numbers) != 4:
            self._complain("capillary", text, "radius, µ, wall and its µ")
            return None
        return numbers[0], numbers[1], numbers[2], numbers[3]

    def _check_limits(self, config: Mapping[str, object]) -> None:
        self._ordered(config, "qmin", "qmax", equal=False)
        self._ordered(config, "qmax", "qmaxinst", equal=True)
        self._ordered(config, "rmin", "rmax", equal=False)
        for key in ("qmin", "rpoly", "rmin"):
            value = config[key]
            if isinstance(value, float) and value < 0:
                self._complain(key, f"{value}", "0 or more")
        step = config["rstep"]
        if isinstance(step, float) and not step > 0:
            self._complain("rstep", f"{step}", "more than 0")
        if config["dataformat"] == "twotheta" and config["wavelength"] is None:
            self._complain("wavelength", "nothing", "Å, as the data are in 2θ")
        if config["scale"] in _TOLD and config["scale_value"] is None:
            self._complain("scale_value", "nothing", f"a number, as scale = {config['scale']}")
        if config["scale"] == "absolute":
            for key in ("density", "energy") if config["mode"] == "xray" else ("density",):
                if config[key] is None:
                    self._complain(key, "nothing", "a number, as scale = absolute")

    def _ordered(self, config: Mapping[str, object], low: str, high: str, *, equal: bool) -> None:
        a, b = config[low], config[high]
        if not (isinstance(a, float) and isinstance(b, float)):
            return
        if not (a < b or (equal and a == b)):
            self._complain(high, f"{b}", f"{'at least' if equal else 'more than'} {low} = {a}")


def _names(text: str) -> list[str]:
    return [name.strip() for name in re.split(r"[,\n]", text) if name.strip()]


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[,\s]+", text) if word]

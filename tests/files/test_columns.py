from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from livepdf.errors import FileError
from livepdf.files.columns import read_columns


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


ROWS = "\n".join(f"{k / 10} {k * k} {k} {k / 2}" for k in range(40))


def test_text_and_short_tables_before_the_numbers_are_ignored(tmp_path: Path) -> None:
    header = "Ni in kapton\nQ (1/A)\n 40\n1 2\n3 4\n# end"
    columns = read_columns(_write(tmp_path / "a.chi", f"{header}\n{ROWS}\n"))

    assert columns.x.size == 40
    assert columns.y[3] == 9
    assert columns.header == header


@pytest.mark.parametrize(("count", "sigma"), [(2, None), (3, 7.0), (4, 3.5)])
def test_the_number_of_columns_says_where_sigma_is(
    tmp_path: Path, count: int, sigma: float | None
) -> None:
    text = "\n".join(" ".join(line.split()[:count]) for line in ROWS.splitlines())

    columns = read_columns(_write(tmp_path / "a.gr", text))

    assert (None if columns.sigma is None else columns.sigma[7]) == sigma


def test_a_gap_written_as_nan_stays_a_gap(tmp_path: Path) -> None:
    columns = read_columns(_write(tmp_path / "a.xy", "0 nan\n" + "\n".join(["1 2"] * 12)))

    assert np.isnan(columns.y[0])
    assert columns.y.size == 13


PLAIN = "\n".join(f"{k / 10} {k * k}.5 {k}.25" for k in range(40))


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace(" ", ","),
        PLAIN.replace(" ", ", "),
        PLAIN.replace(" ", " , "),
        PLAIN.replace(" ", ";"),
        PLAIN.replace(" ", "\t"),
        PLAIN.replace(".", ","),
        PLAIN.replace(".", ",").replace(" ", ";"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r\r\n"),
        PLAIN.replace("\n", "\n\n"),
        PLAIN.replace("\n", ",\n").replace(" ", ","),
        "q,I,s\n" + PLAIN.replace(" ", ","),
        "\n".join(reversed(PLAIN.splitlines())),
        "nan 1 1\n" + PLAIN,
    ],
)
def test_the_same_numbers_are_read_however_they_are_parted_and_ordered(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())

    columns = read_columns(path)

    np.testing.assert_array_equal(columns.x, np.arange(40) / 10)
    np.testing.assert_array_equal(columns.y, np.arange(40) ** 2 + 0.5)
    np.testing.assert_array_equal(columns.sigma, np.arange(40) + 0.25)


def test_unicode_of_windows_and_its_nan_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xy"
    path.write_bytes(("Q I\n" + PLAIN + "\n4.0 -1.#IND 1").encode("utf-16"))

    columns = read_columns(path)

    assert columns.x.size == 41
    assert np.isnan(columns.y[-1])


def test_errors_that_are_all_zero_are_none(tmp_path: Path) -> None:
    rows = "\n".join(f"{k} {k} 0.0" for k in range(20))

    assert read_columns(_write(tmp_path / "a.xy", rows)).sigma is None


@pytest.mark.parametrize(
    "text", ["", "1 2\n3 4\n", "no numbers at all\n" * 20, "1\n" * 30, "nan 1\n1e400 1\n" * 30]
)
def test_a_file_without_a_table_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(FileError, match=r"a\.chi: found \d rows"):
        read_columns(_write(tmp_path / "a.chi", text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"gone\.chi: No such file"):
        read_columns(tmp_path / "gone.chi")


def test_latin_headers_do_not_hinder(tmp_path: Path) -> None:
    path = tmp_path / "a.gr"
    path.write_bytes("#L r(Å)\n".encode("latin-1") + ROWS.encode())

    assert read_columns(path).x.size == 40


@pytest.mark.parametrize(
    ("name", "rows", "has_sigma"),
    [
        ("pdf1d/ni_kapton_exact/Ni.chi", 1576, True),
        ("pdf1d/ni_kapton_exact/Ni.gr", 6001, False),
        ("pdf1d/tio2_film_microwave/glass.chi", 1485, False),
        ("images/dioptas_ceo2_pilatus1m/CeO2_Pilatus1M.xy", 1512, False),
        ("series/tio2b_operando_2019/chi/B3_01.chi", 2000, True),
    ],
)
def test_files_of_other_programs_are_read_whole(
    data_path: Callable[[str], Path], name: str, rows: int, has_sigma: bool
) -> None:
    columns = read_columns(data_path(name))

    assert columns.x.size == rows
    assert (columns.sigma is not None) == has_sigma

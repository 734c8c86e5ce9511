import os
import shutil
import subprocess
import sys
from pathlib import Path

from livepdf.numerics import report
from livepdf.numerics.kernel import sources_digest
from livepdf.numerics.report import kernel_report

PACKAGE = Path(report.__file__).parent.parent

OUTER = """
from livepdf.numerics.kernel import kernel
from livepdf.numerics.inside import answer


@kernel
def ask():
    return answer()
"""
INSIDE = """
from livepdf.numerics.kernel import inner


@inner
def answer():
    return {}
"""


def run(folder: Path, code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def package(folder: Path) -> Path:
    numerics = folder / "livepdf" / "numerics"
    numerics.mkdir(parents=True)
    for name in ("livepdf/__init__.py", "livepdf/numerics/__init__.py"):
        (folder / name).touch()
    shutil.copy(PACKAGE / "numerics" / "kernel.py", numerics)
    (numerics / "outside.py").write_text(OUTER)
    (numerics / "inside.py").write_text(INSIDE.format(1))
    return numerics


ASK = "from livepdf.numerics.outside import ask; print(ask(), sum(ask.stats.cache_hits.values()))"


def test_a_change_of_what_a_loop_calls_makes_the_kept_loop_void(tmp_path: Path) -> None:
    inside = package(tmp_path) / "inside.py"

    first, second = run(tmp_path, ASK), run(tmp_path, ASK)
    inside.write_text(INSIDE.format(2))
    third = run(tmp_path, ASK)

    assert [first, second, third] == ["1 0", "1 1", "2 0"]


def test_an_install_where_nothing_can_be_written_works(tmp_path: Path) -> None:
    package(tmp_path)
    nowhere = {"HOME": "/proc/1/nothing", "XDG_CACHE_HOME": "/proc/1/nothing"}
    # Not by permissions: root may write anywhere.
    (tmp_path / "livepdf" / "numerics" / "__pycache__").write_text("in the way")

    code = f"{ASK}; from livepdf.numerics.kernel import keeps_on_disk; print(keeps_on_disk())"

    assert run(tmp_path, code, **nowhere).split() == ["1", "0", "False"]


def test_the_fingerprint_covers_the_loops_and_nothing_else() -> None:
    assert len(sources_digest()) == 64


def test_the_report_names_every_step_and_its_fallback() -> None:
    report = kernel_report()
    assert set(report) == {"LZ4", "bitshuffle", "one frame", "many frames", "compiled loops"}
    assert "hdf5plugin" in report["LZ4"]
    code = "from livepdf.numerics.report import kernel_report; print(kernel_report()['LZ4'])"
    assert run(PACKAGE.parent, code, LIVEPDF_OWN_LZ4="1").startswith("own loops")


def test_several_processes_may_fill_an_empty_cache_at_once(tmp_path: Path) -> None:
    package(tmp_path)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}

    running = [
        subprocess.Popen(
            [sys.executable, "-c", ASK],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [process.communicate()[0].split()[0] for process in running]

    assert said == ["1", "1", "1"]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert run(tmp_path, ASK) == "1 1"


def test_what_was_kept_for_one_processor_is_not_used_on_another(tmp_path: Path) -> None:
    package(tmp_path)
    old = {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": ""}

    here, there, again = run(tmp_path, ASK), run(tmp_path, ASK, **old), run(tmp_path, ASK)

    assert [here, there, again] == ["1 0", "1 0", "1 1"]

"""Where assay and its peers come from, and how assay is asked."""
import json
import os
import pathlib
import shutil
import subprocess

from . import process
from .failures import BadInput, CannotWork, CaseFailed, CaseSkipped

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SOURCES = ("CMakeLists.txt", "CMakePresets.json", "kernels", "probes", "reports", "suites")


def _script(name: str, argument: str) -> None:
    # Both say themselves, on stderr, what they do and why they cannot.
    if subprocess.run([str(ROOT / "scripts" / name), argument], stdout=subprocess.DEVNULL, check=False).returncode:
        raise CannotWork(f"scripts/{name} {argument} failed")


def given(option: str, path: str) -> str:
    if not os.access(path, os.X_OK) or os.path.isdir(path):
        raise BadInput(f"{option} {path}: no program is there")
    return os.path.abspath(path)


def _newest_source() -> float:
    newest = 0.0
    for name in SOURCES:
        for path in [ROOT / name, *(ROOT / name).rglob("*")]:
            newest = max(newest, path.stat().st_mtime)
    return newest


def assay(binary: str | None) -> str:
    """The program named by --binary; else the release build, made first where it is missing or outdated."""
    if binary is not None:
        return given("--binary", binary)
    built = ROOT / "build" / "release" / "assay"
    if not built.exists() or built.stat().st_mtime < _newest_source():
        _script("install", "build")
        _script("build", "release")
    return str(built)


def peer(name: str, path: str | None) -> str:
    """The program named by --NAME; else the one that is installed, installed first where it is missing."""
    if path is not None:
        return given("--" + name, path)
    if shutil.which(name) is None:
        _script("install", "crosscheck")
    found = shutil.which(name)
    if found is None:
        raise CannotWork(f"{name} is not there even after scripts/install crosscheck")
    return found


def version(program: str, option: str = "--version") -> str:
    finished = process.run([program, option], 30)
    lines = finished.output.split("\n")
    if finished.status != 0 or not lines[0]:
        raise CannotWork(f"{program} {option}: {finished.last_error()}")
    return lines[0].strip()


def probe(command: list[str], limit_seconds: float) -> tuple[dict, process.Finished]:
    """The outcome of one `assay probe ... --json`, measured; every other end is an exception."""
    finished = process.run(command, limit_seconds)
    if finished.status == 2:
        raise BadInput(finished.last_error())
    if finished.status not in (0, 1, 3):
        raise CaseFailed(f"assay ended with {finished.status}: {finished.last_error()}")
    try:
        outcome = json.loads(finished.output)
        status, reason = outcome["status"], outcome.get("reason")
    except (ValueError, KeyError, TypeError) as error:
        raise CaseFailed("assay printed no outcome") from error
    if status == "skipped":
        raise CaseSkipped(f"assay: {reason}")
    if status != "measured":
        raise CaseFailed(f"assay: {status}: {reason}")
    return outcome, finished


def summary(outcome: dict, metric: str) -> dict:
    for one in outcome["metrics"]:
        if one["name"] == metric:
            return one["summary"]
    raise CaseFailed(f"assay's outcome has no {metric}")

"""How the peers that are libraries are run: by kernel_benchmarks, built from tests/benchmarks."""
import json
import os

from . import process, tools
from .failures import CannotWork, CaseFailed, CaseSkipped

BUILT = tools.ROOT / "build" / "dev" / "tests" / "benchmarks" / "kernel_benchmarks"
HOW = ("scripts/install test && scripts/install crosscheck && cmake --preset dev && "
       "cmake --build --preset dev --target kernel_benchmarks")
NOT_HERE = "not possible here: "   # how a benchmark begins to say that the machine cannot


def program(path: str | None) -> str:
    if path is not None:
        return tools.given("--benchmarks", path)
    if not os.access(BUILT, os.X_OK):
        raise CannotWork(f"kernel_benchmarks, which runs the peers, is not built; build it by: {HOW}")
    return str(BUILT)


def check_that_it_has(path: str, names: list[str]) -> None:
    finished = process.run([path, "--benchmark_list_tests"], 60)
    listed = finished.output.splitlines()
    for name in names:
        if not any(line.startswith(name + "/") for line in listed):
            raise CannotWork(f"{path} has no {name}: it was built without that library; build it again by: {HOW}")


def command(path: str, name: str, seconds: float, cpus: list[int], environment: dict[str, str]) -> list[str]:
    settings = ["env", *(f"{key}={value}" for key, value in environment.items())] if environment else []
    return [*settings, "taskset", "-c", ",".join(map(str, cpus)), path, f"--benchmark_filter=^{name}/",
            f"--benchmark_min_time={seconds:g}", "--benchmark_format=json"]


def run(name: str, words: list[str], limit_seconds: float) -> dict:
    """The operations a second of one benchmark, and what it says of itself."""
    finished = process.run(words, limit_seconds)
    try:
        found = [one for one in json.loads(finished.output)["benchmarks"] if one["name"].startswith(name + "/")]
    except (ValueError, KeyError, TypeError) as error:
        raise CaseFailed(f"kernel_benchmarks ended with {finished.status} and printed no figures: "
                         f"{finished.last_error()}") from error
    if finished.status != 0 or len(found) != 1:
        raise CaseFailed(f"kernel_benchmarks ended with {finished.status} and {len(found)} figures of {name}")
    if found[0].get("error_occurred"):
        message = found[0].get("error_message", "")
        if message.startswith(NOT_HERE):
            raise CaseSkipped(message.removeprefix(NOT_HERE))
        raise CaseFailed(f"{name}: {message}")
    if not isinstance(found[0].get("op/s"), (int, float)):
        raise CaseFailed(f"{name} gives no op/s")
    return {"figure": found[0]["op/s"], "label": found[0].get("label", "")}

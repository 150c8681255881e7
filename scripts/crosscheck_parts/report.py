"""A crosscheck's results as a table of 80 columns, as JSON, and as an exit status."""
import dataclasses
import json
import pathlib
import statistics
import sys
import textwrap
from typing import Iterable

from .failures import BadInput
from .pairs import Row

WIDTH = 80
DISTURBED = 0.10  # share of the machine's CPU time that others may take before it is said


@dataclasses.dataclass
class CaseResult:
    name: str
    title: str
    commands: dict[str, list[str]]       # by tool, as run in the first round
    status: str = "measured"             # or "incomplete" (some rows are missing), "skipped", "failed"
    reason: str | None = None
    rows: list[Row] = dataclasses.field(default_factory=list)
    order: list[str] = dataclasses.field(default_factory=list)
    details: dict = dataclasses.field(default_factory=dict)
    warnings: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Limit:
    """A figure of assay alone, held against a bound."""
    name: str
    title: str
    value: float
    at_most: float
    unit: str

    @property
    def verdict(self) -> str:
        return "ok" if self.value <= self.at_most else "outside"


def scaled(value: float, unit: str) -> str:
    """Three figures and more, with the prefix that a reader expects."""
    steps = {"second": ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
             "operation/second": ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K"), (1, "")),
             "flop/second": ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K"), (1, "")),
             "byte/second": ((1e9, "GB/s"), (1e6, "MB/s"), (1, "B/s")), "ratio": ((1e-2, "%"),),
             "byte": ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B"))}[unit]
    factor, prefix = next((step for step in steps if value >= step[0]), steps[-1])
    number = value / factor
    digits = 2 if number < 10 else 1 if number < 100 else 0
    return f"{number:.{digits}f} {prefix}".rstrip()


def disturbance(foreign_cpu: Iterable[float | None]) -> list[str]:
    """A warning where the runs' shares of CPU time that others took are large."""
    shares = [share for share in foreign_cpu if share is not None]
    if not shares or statistics.median(shares) <= DISTURBED:
        return []
    return [f"{statistics.median(shares) * 100:.0f} % of the machine's CPU time went to other processes: ratios of a "
            "disturbed machine"]


def table(results: list[CaseResult], peer: str) -> str:
    lines = [f"{'':12}{'assay':>11}{peer:>11}{'ratio':>8}{'range':>14}{'goal':>9}", "─" * WIDTH]
    for result in results:
        lines += textwrap.wrap(f"{result.name}: {result.title}", WIDTH, subsequent_indent="  ")
        if result.status != "measured":
            lines += textwrap.wrap(f"{result.status}: {result.reason}", WIDTH, initial_indent="  ",
                                   subsequent_indent="  ")
        for row in result.rows:
            quantity = row.quantity
            lines.append((f"  {quantity.title:10}{scaled(row.assay, quantity.unit):>11}"
                          f"{scaled(row.peer, quantity.unit):>11}{row.ratio:>8.3f}"
                          f"{f'{min(row.ratios):.2f}–{max(row.ratios):.2f}':>14}"
                          f"{str(quantity.goal or '–'):>9}  {row.verdict or ''}").rstrip())
        for warning in result.warnings:
            lines += textwrap.wrap("warning: " + warning, WIDTH, initial_indent="  ", subsequent_indent="  ")
    return "\n".join(lines)


def _row_json(row: Row) -> dict:
    goal = row.quantity.goal
    bounds = {} if goal is None else {k: v for k, v in dataclasses.asdict(goal).items() if v is not None}
    return {"quantity": row.quantity.name, "unit": row.quantity.unit, "assay": row.assay, "peer": row.peer,
            "ratio": row.ratio, "range": [min(row.ratios), max(row.ratios)], "goal": bounds or None,
            "verdict": row.verdict, "pairs": [list(pair) for pair in row.pairs]}


def as_json(head: dict, results: list[CaseResult], limits: list[Limit], warnings: list[str]) -> dict:
    cases = []
    for result in results:
        case = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
        case["rows"] = [_row_json(row) for row in result.rows]
        cases.append(case)
    checked = [dict(dataclasses.asdict(limit), verdict=limit.verdict) for limit in limits]
    return {"schema": "assay.crosscheck/1", **head, "cases": cases, "limits": checked, "warnings": warnings,
            "exit_status": exit_status(results, limits)}


def exit_status(results: list[CaseResult], limits: list[Limit]) -> int:
    if any(result.status == "failed" for result in results):
        return 4
    verdicts = [row.verdict for result in results for row in result.rows] + [limit.verdict for limit in limits]
    if "outside" in verdicts:
        return 1
    # What was not compared is never reported as if it had been.
    return 3 if any(result.status in ("incomplete", "skipped") for result in results) else 0


def check_json_place(place: str | None) -> None:
    """Known before minutes of measuring, not after."""
    if place in (None, "-"):
        return
    folder = pathlib.Path(place).resolve().parent
    if not folder.is_dir() or pathlib.Path(place).is_dir():
        raise BadInput(f"--json {place}: a file cannot be made there")


def write(head: dict, peer: str, results: list[CaseResult], limits: list[Limit], warnings: list[str],
          place: str | None) -> int:
    """Prints the table (on stderr where stdout carries the JSON), writes the JSON, returns the exit status."""
    text = sys.stderr if place == "-" else sys.stdout
    print(table(results, peer), file=text)
    for limit in limits:
        print(f"{limit.title}: {scaled(limit.value, limit.unit)} "
              f"(goal: at most {scaled(limit.at_most, limit.unit)}) {limit.verdict}", file=text)
    for warning in warnings:
        print(textwrap.fill("warning: " + warning, WIDTH, subsequent_indent="  "), file=text)
    status = exit_status(results, limits)
    counted = [row.verdict for result in results for row in result.rows if row.verdict]
    unmeasured = sum(result.status != "measured" for result in results)
    print(f"{counted.count('ok')} ratios within their goal, {counted.count('outside')} outside"
          + (f", {unmeasured} cases not measured in full" if unmeasured else ""), file=text)
    document = json.dumps(as_json(head, results, limits, warnings), indent=1, ensure_ascii=False)
    if place == "-":
        print(document)
    elif place is not None:
        pathlib.Path(place).write_text(document + "\n", encoding="utf-8")
    return status

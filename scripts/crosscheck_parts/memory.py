"""Memory bandwidth against likwid-bench, on arrays of the same size and the same CPUs.

    read       load_ISA             write, write_nt    store_ISA, store_mem_ISA
    copy       copy_ISA             copy_nt            copy_mem_ISA
    triad      stream_ISA           triad_nt           stream_mem_ISA

ISA is the widest of avx512, avx and sse that the CPU has, for both; machines other than x86-64 are refused. They take
turns, and who goes first alternates.
A ratio is assay's figure divided by likwid's of the same round; the median of the rounds is held against the goal.

plain       assay's plain vector loop on the pages that a program gets unasked, which is what likwid does
best        assay's best pattern (prefetch, streams, huge pages) against the same run of likwid: what a plain loop
            leaves unused
bytes       of both by STREAM's rule: 8 a load and 8 a store, an element of read and write 8, of copy 16, of triad 24.
            What plain stores read besides is counted by neither. likwid says in every run what it counts; a run
            that counts otherwise is refused. (likwid's `triad`, A = B * C + D, has no equal here; STREAM's is its
            `stream`.)
figure      of both all bytes divided by the time that they took. assay's is the harmonic mean of its samples,
            runs of about 5 ms of equal size; likwid's that of the whole run. Others on the machine slow both.
threads     one on each CPU, each touching its part of the arrays first (likwid's -W).
two runs    after the rounds assay runs twice more, one after the other; how far the medians of the two lie apart.
"""
import argparse
import dataclasses
import datetime
import os
import re
import statistics
import sys

from . import pairs, process, report, tools
from .arguments import OneLineParser, byte_count, in_range
from .cpu import cpuinfo, widest_isa
from .failures import BadInput, CannotWork, CaseFailed, CaseSkipped
from .pairs import Goal, Quantity

LIMIT_SECONDS = 600
TWO_RUNS = 0.02
ISAS = {"avx512": "avx512", "avx2": "avx", "portable": "sse"}  # assay's names, and likwid's
PLAIN, BEST = "memory.bandwidth.plain", "memory.bandwidth"


@dataclasses.dataclass
class CaseKind:
    name: str                   # as assay calls the kernel
    peer: str                   # as likwid does, without the instruction set
    arrays: int
    element_bytes: int          # by STREAM's rule
    goals: dict[str, Goal]


LEVEL = {"plain": Goal(at_least=0.98)}
KINDS = [
    CaseKind("read", "load", 1, 8, {"best": Goal(at_least=1.08)}),
    CaseKind("write", "store", 1, 8, {}),
    CaseKind("write_nt", "store_mem", 1, 8, {}),
    CaseKind("copy", "copy", 2, 16, LEVEL),
    CaseKind("copy_nt", "copy_mem", 2, 16, LEVEL),
    CaseKind("triad", "stream", 3, 24, LEVEL),
    CaseKind("triad_nt", "stream_mem", 3, 24, LEVEL),
]


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = OneLineParser(prog="scripts/crosscheck memory", description=__doc__,
                           formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", metavar="NAME,...", help="some of: " + ", ".join(kind.name for kind in KINDS))
    parser.add_argument("--isa", choices=("auto", *ISAS), default="auto", help="of both (default: the CPU's widest)")
    parser.add_argument("--threads", type=in_range(int, 1, 1 << 16), help="default: all CPUs allowed")
    parser.add_argument("--bytes", type=byte_count, help="of each array (default: as assay chooses)")
    parser.add_argument("--seconds", type=in_range(float, 0.1, 3600), default=1.0,
                        help="of each run of likwid, at least (default 1)")
    parser.add_argument("--rounds", type=in_range(int, 1, 1000), default=5, help="runs of each (default 5)")
    parser.add_argument("--json", metavar="FILE", help="all figures and both command lines; - for stdout")
    parser.add_argument("--binary", metavar="PATH", help="another assay than build/release/assay")
    parser.add_argument("--likwid-bench", metavar="PATH", help="another likwid-bench than Debian's")
    options = parser.parse_args(arguments)
    report.check_json_place(options.json)
    return options


def cases_of(names: str | None) -> list[CaseKind]:
    by_name = {kind.name: kind for kind in KINDS}
    for name in ("read" if names is None else names).split(","):
        if name not in by_name:
            raise BadInput(f"--cases {name}: no such case; accepted: {', '.join(by_name)}")
    return KINDS if names is None else [by_name[name] for name in names.split(",")]


# The machine

def isa_of(asked: str) -> str:
    if os.uname().machine not in ("x86_64", "amd64"):
        # likwid's armv8 has load_neon and store_neon, but copy and stream only scalar, in pairs or for SVE.
        raise CannotWork(f"memory: on {os.uname().machine} likwid-bench has no kernels to hold "
                         "assay's against (none of copy and stream with NEON); it runs on x86-64 alone")
    widest = widest_isa(cpuinfo())
    if asked == "auto":
        return widest
    order = list(ISAS)
    if order.index(asked) < order.index(widest):
        raise BadInput(f"--isa {asked}: this CPU has not; accepted: {', '.join(order[order.index(widest):])}")
    return asked


def cpus_of_peer(likwid: str) -> list[int]:
    """The CPUs in the order in which likwid hands them out to threads."""
    finished = process.run([likwid, "-p"], 60)
    match = re.search(r"Tag N:((?: +\d+)+)", finished.output)
    if match is None:
        raise CannotWork(f"{likwid} -p names no CPUs: {finished.last_error()}")
    return [int(cpu) for cpu in match[1].split()]


# One run of each

@dataclasses.dataclass
class Load:
    kind: CaseKind
    isa: str
    cpus: list[int]
    array_bytes: int
    seconds: float
    assay: str
    likwid: str

    def assay_command(self) -> list[str]:
        return ["taskset", "-c", ",".join(map(str, self.cpus)), self.assay, "probe", "memory.bandwidth", "--json",
                "--quick", "--set", f"kernel={self.kind.name}", "--set", f"bytes={self.array_bytes}", "--set",
                f"isa={self.isa}", "--set", f"threads={len(self.cpus)}", "--set", "scaling=no"]

    def peer_command(self) -> list[str]:
        # likwid takes the size of all arrays together, in units of 1000.
        size = self.array_bytes * self.kind.arrays // 1000
        return [self.likwid, "-t", f"{self.kind.peer}_{ISAS[self.isa]}", "-W", f"N:{size}kB:{len(self.cpus)}", "-s",
                f"{max(round(self.seconds), 1)}"]


def rate_of(outcome: dict, metric: str) -> dict:
    for one in outcome["metrics"]:
        if one["name"] == metric:
            if not one["samples"] or min(one["samples"]) <= 0:
                raise CaseFailed(f"assay's {metric} has a sample of nothing")
            return {"figure": statistics.harmonic_mean(one["samples"]), "median": one["value"]}
    raise CaseFailed(f"assay's outcome has no {metric}")


def run_assay(load: Load) -> dict:
    outcome, _ = tools.probe(load.assay_command(), LIMIT_SECONDS)
    plain, best = rate_of(outcome, PLAIN), rate_of(outcome, BEST)
    resolved = outcome["case"].get("resolved", {})
    return {"plain": plain["figure"], "best": best["figure"], "plain_median": plain["median"],
            "best_median": best["median"], "resolved": resolved,
            "foreign_cpu": (outcome.get("conditions") or {}).get("foreign_cpu")}


def number_in(output: str, label: str) -> float:
    match = re.search(rf"^{re.escape(label)}:?\s+([0-9.]+(?:e[+-][0-9]+)?)", output, re.MULTILINE)
    if match is None:
        raise CaseFailed(f"likwid-bench printed no '{label}'")
    return float(match[1])


def run_peer(load: Load) -> dict:
    finished = process.run(load.peer_command(), LIMIT_SECONDS)
    if finished.status != 0:
        raise CaseFailed(f"likwid-bench ended with {finished.status}: "
                         f"{(finished.output.strip().splitlines() or [finished.last_error()])[-1]}")
    counted = sum(number_in(finished.output, label) for label in ("Load bytes per element", "Store bytes per elem."))
    if counted != load.kind.element_bytes:
        raise CaseFailed(f"likwid-bench counts {counted:g} bytes an element, assay {load.kind.element_bytes}")
    rate = number_in(finished.output, "MByte/s") * 1e6
    return {"plain": rate, "best": rate, "bytes": number_in(finished.output, "Size (Byte)"),
            "seconds": number_in(finished.output, "Time")}


def apart(one: float, other: float) -> float:
    return abs(one - other) / min(one, other)


def two_runs(load: Load) -> list[report.Limit]:
    first, second = run_assay(load), run_assay(load)
    return [report.Limit(f"two_runs_{load.kind.name}_{name}", f"two runs of {load.kind.name}, {name}, lie apart by",
                         apart(first[f"{name}_median"], second[f"{name}_median"]), TWO_RUNS, "ratio")
            for name in ("plain", "best")]


def quantities_of(kind: CaseKind) -> list[Quantity]:
    return [Quantity(name, name, "byte/second", kind.goals.get(name)) for name in ("plain", "best")]


class Crosscheck:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.kinds = cases_of(options.cases)
        self.isa = isa_of(options.isa)
        self.assay = tools.assay(options.binary)
        self.likwid = tools.peer("likwid-bench", options.likwid_bench)
        cpus = cpus_of_peer(self.likwid)
        threads = options.threads or len(cpus)
        if threads > len(cpus):
            raise BadInput(f"--threads {threads}: this process may use {len(cpus)} CPUs; accepted: 1 to {len(cpus)}")
        self.cpus = cpus[:threads]
        self.array_bytes = options.bytes
        self.results: list[report.CaseResult] = []
        self.limits: list[report.Limit] = []

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def choose_bytes(self) -> None:
        """As large as assay makes them for three arrays, so that all cases have the same."""
        if self.array_bytes is None:
            command = [self.assay, "probe", "memory.bandwidth", "--json", "--quick", "--set", "kernel=triad", "--set",
                       "scaling=no"]
            try:
                outcome, _ = tools.probe(command, LIMIT_SECONDS)
                self.array_bytes = int(outcome["case"]["resolved"]["bytes"])
            except (CaseFailed, CaseSkipped, KeyError, ValueError) as failed:
                raise CannotWork(f"assay chooses no size of the arrays: {failed}; give --bytes") from failed

    def measure(self, kind: CaseKind) -> None:
        load = Load(kind, self.isa, self.cpus, self.array_bytes, self.options.seconds, self.assay, self.likwid)
        title = f"{kind.peer}_{ISAS[self.isa]} of likwid-bench, {kind.element_bytes} bytes an element"
        self.say(f"{kind.name}: {title}")
        result = report.CaseResult(kind.name, title, {"assay": load.assay_command(), "peer": load.peer_command()})
        self.results.append(result)
        try:
            results, result.order = pairs.alternate(self.options.rounds, {
                pairs.ASSAY: lambda number: run_assay(load), pairs.PEER: lambda number: run_peer(load)})
            runs = pairs.against(pairs.PEER, results)
            result.rows = pairs.rows_of(quantities_of(kind), runs)
            result.details = {"assay_runs": [pair[0] for pair in runs], "peer_runs": [pair[1] for pair in runs]}
            self.limits += two_runs(load)
        except CaseSkipped as skipped:
            result.status, result.reason = "skipped", str(skipped)
        except (CaseFailed, KeyError) as failed:
            result.status = "failed"
            result.reason = f"a figure is missing: {failed}" if isinstance(failed, KeyError) else str(failed)

    def warnings(self) -> list[str]:
        return report.disturbance(run["foreign_cpu"] for result in self.results
                                  for run in result.details.get("assay_runs", []))

    def head(self) -> dict:
        system = os.uname()
        return {"domain": "memory", "peer": "likwid-bench",
                "started_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                "machine": {"kernel": f"{system.sysname} {system.release}", "cpus": os.cpu_count()},
                "versions": {"assay": tools.version(self.assay), "peer": tools.version(self.likwid, "-v")},
                "isa": self.isa, "cpus": self.cpus, "array_bytes": self.array_bytes, "seconds": self.options.seconds,
                "rounds": self.options.rounds, "method": __doc__}


def run(arguments: list[str]) -> int:
    options = options_of(arguments)
    crosscheck = Crosscheck(options)
    expected = len(crosscheck.kinds) * (options.rounds * (8 + 2 * options.seconds) + 14)
    crosscheck.say(f"{len(crosscheck.kinds)} cases, {options.rounds} rounds each: about {expected / 60:.0f} min")
    crosscheck.choose_bytes()
    head = crosscheck.head()
    for kind in crosscheck.kinds:
        crosscheck.measure(kind)
    return report.write(head, "likwid", crosscheck.results, crosscheck.limits, crosscheck.warnings(), options.json)

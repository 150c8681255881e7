"""Matrix products against OpenBLAS, oneDNN and what the silicon can; matrix-vector products against the memory.

    int8, bf16       assay's product, oneDNN's, and the ceiling; their goals are for CPUs with AMX
    f32              assay's product, OpenBLAS's, oneDNN's, and the ceiling; `best peer` is the faster of both
    int8_avx512      int8 without AMX: assay with isa=avx512, its ceiling, and oneDNN kept from AMX
    gemv_int8, gemv_int4, gemv_int4_g128      bytes of weights a second against reading them

All parties of a case take turns, and who goes first alternates. A ratio is assay's figure divided by another's of the
same round; the median of the rounds is held against the goal.

operations  2 m n k a product, of all.
figure      of all the operations (or bytes) of a run divided by the time that they took: of assay the harmonic mean of
            its samples, of a peer what Google Benchmark reports in real time.
ceiling     gemm.ceiling: a loop of the same instruction on registers alone.
reading     the same weights only read, by the fastest of memory.bandwidth's patterns, within the product's own run, in
            turns every few milliseconds: the goal is held against this. Of both the median of the samples.
memory      memory.bandwidth, kernel=read, a run before or after. A shared machine's memory can be twice as fast from
            one run to the next: shown, and nothing held against it.
peers       run by kernel_benchmarks (tests/benchmarks), which has every result compared with a reference before it
            times: one that computes wrongly fails the case. Operands stand in the layouts that the library chooses
            itself, and bringing them there is not timed. oneDNN's int8 is u8 x s8, as its kernels like it.
threads     one on each CPU, of all the same CPUs (taskset); oneDNN's are bound (OMP_PROC_BIND).
isa         --isa goes to assay's products and ceilings, and keeps oneDNN from what is above (DNNL_MAX_CPU_ISA); not
            OpenBLAS, and not the matrix-vector products.
AMX         a goal that is AMX's is held only where assay says that it used AMX; elsewhere the ratio is shown alone.
"""
import argparse
import datetime
import os
import sys

from . import benchmarks, cpu, pairs, report, tools
from .arguments import OneLineParser, in_range
from .compute_cases import GEMM_SIZES, GEMV_SHAPES, KINDS, Case, CaseKind, shape_of
from .compute_turns import Tools, measured_case
from .failures import BadInput

ISAS = ("auto", "portable", "neon", "avx2", "avx512", "amx")


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = OneLineParser(prog="scripts/crosscheck compute", description=__doc__,
                           formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", metavar="NAME,...", help="some of: " + ", ".join(kind.name for kind in KINDS))
    parser.add_argument("--sizes", metavar="N,...", default="2048,4096",
                        help="of square products, some of: " + ", ".join(map(str, GEMM_SIZES)) + " (default 2048,4096)")
    parser.add_argument("--shapes", metavar="MxK,...", default=",".join(GEMV_SHAPES),
                        help="of the matrices that vectors are multiplied by (default: " + ",".join(GEMV_SHAPES) + ")")
    parser.add_argument("--isa", choices=ISAS, default="auto", help="of products (default: the CPU's best)")
    parser.add_argument("--threads", type=in_range(int, 1, 1 << 16), help="default: all CPUs allowed")
    parser.add_argument("--seconds", type=in_range(float, 0.01, 3600), default=1.0,
                        help="of each run of a peer, at least (default 1)")
    parser.add_argument("--rounds", type=in_range(int, 1, 1000), default=5, help="runs of each (default 5)")
    parser.add_argument("--json", metavar="FILE", help="all figures and command lines; - for stdout")
    parser.add_argument("--binary", metavar="PATH", help="another assay than build/release/assay")
    parser.add_argument("--benchmarks", metavar="PATH",
                        help="another kernel_benchmarks than build/dev/tests/benchmarks/kernel_benchmarks")
    options = parser.parse_args(arguments)
    report.check_json_place(options.json)
    return options


def kinds_of(names: str | None) -> list[CaseKind]:
    by_name = {kind.name: kind for kind in KINDS}
    if names is None:
        return KINDS
    for name in names.split(","):
        if name not in by_name:
            raise BadInput(f"--cases {name}: no such case; accepted: {', '.join(by_name)}")
    return [by_name[name] for name in names.split(",")]


def sizes_of(text: str) -> list[int]:
    for size in text.split(","):
        if size not in map(str, GEMM_SIZES):
            raise BadInput(f"--sizes {size}: not among the peers' benchmarks; accepted: "
                           f"{', '.join(map(str, GEMM_SIZES))}")
    return [int(size) for size in text.split(",")]


def cpus_of(threads: int | None) -> list[int]:
    allowed = cpu.allowed()
    if threads is not None and threads > len(allowed):
        raise BadInput(f"--threads {threads}: this process may use {len(allowed)} CPUs; accepted: 1 to "
                       f"{len(allowed)}")
    return allowed[:threads]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def head_of(options: argparse.Namespace, used: Tools) -> dict:
    system = os.uname()
    return {"domain": "compute", "peer": "OpenBLAS, oneDNN, memory and register loops",
            "started_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "machine": {"kernel": f"{system.sysname} {system.release}", "cpus": os.cpu_count(),
                        "amx": sorted(flag for flag in used.flags if flag.startswith("amx_"))},
            "versions": {"assay": tools.version(used.assay)}, "isa": options.isa, "cpus": used.cpus,
            "seconds": options.seconds, "rounds": options.rounds, "method": __doc__}


def run(arguments: list[str]) -> int:
    options = options_of(arguments)
    kinds, sizes, shapes = kinds_of(options.cases), sizes_of(options.sizes), options.shapes.split(",")
    cases = [Case(kind, shape, options.isa) for kind in kinds
             for shape in ([(n, n, n) for n in sizes] if kind.probe == "gemm" else map(shape_of, shapes))]
    cpus = cpus_of(options.threads)
    needed = [name for case in cases for name in case.peer_benchmarks()]
    used = Tools(tools.given("--binary", options.binary) if options.binary else None,
                 benchmarks.program(options.benchmarks) if needed else None, cpus, options.seconds,
                 cpu.flags_in(cpu.cpuinfo()))
    if needed:
        benchmarks.check_that_it_has(used.benchmarks, needed)
    used.assay = used.assay or tools.assay(None)  # last: it may have to be built
    expected = options.rounds * sum(6 * (1 + case.has_assay_beside()) + (2 * options.seconds + 2) *
                                    len(case.peer_benchmarks()) for case in cases)
    say(f"{len(cases)} cases, {options.rounds} rounds each: about {expected / 60:.0f} min")
    head = head_of(options, used)
    results = []
    for case in cases:
        say(f"{case.name}: {case.title}")
        results.append(measured_case(case, used, options.rounds))
    warnings = report.disturbance(one["foreign_cpu"] for result in results
                                  for one in result.details.get(f"{pairs.ASSAY}_runs", []))
    return report.write(head, "peer", results, [], warnings, options.json)

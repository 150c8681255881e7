"""OpenCL devices against clpeak, and what a device on the CPU reaches of the CPU's own figures.

    gemm_f32         assay's product of f32 matrices, against clpeak's loop on registers alone (its best vector width)
    read             assay's memory.bandwidth, kernel=read, against clpeak's global memory bandwidth (its best width)
    host_read        the same against assay's memory.bandwidth of cpu:0: only where the device is a CPU (PoCL)
    to_device, to_host    interconnect.transfer, pinned and pageable, against clpeak's mapped and enqueued copies

Both take turns, and who goes first alternates. A ratio is assay's figure divided by the other's of the same round; the
median of the rounds is held against the goal.

operations  2 m n k a product; of clpeak's loop 2 a multiply-add. A product also loads and stores, so that its share of
            the loop is below 1; the goal is that of a well-made product.
bytes       of both those that the kernel reads, or that were copied, once.
time        of both by the device's events (clpeak --use-event-timer).
host_read   on a device whose memory is the host's, both must come to the same.
"""
import argparse
import dataclasses
import datetime
import json
import os
import statistics
import sys
import tempfile
import xml.etree.ElementTree

from . import pairs, process, report, tools
from .arguments import OneLineParser, in_range
from .failures import BadInput, CannotWork, CaseFailed, CaseSkipped
from .pairs import Goal, Quantity

LIMIT_SECONDS = 600


@dataclasses.dataclass
class CaseKind:
    name: str
    settings: dict[str, str]        # of assay's probe
    probe: str
    unit: str
    peer_test: str | None           # clpeak's option; None: assay's own probe on cpu:0
    peer_element: str = ""          # in clpeak's XML: the test, whose largest value is taken, or one named value of it
    peer_value: str | None = None
    goal: Goal | None = None

    @property
    def title(self) -> str:
        settings = " ".join(f"{name}={value}" for name, value in self.settings.items())
        return f"{self.probe} {settings}"


# 80 of 112 GFLOP/s: the product that this project asks of PoCL, as a share of the loop measured beside it.
GEMM = Goal(at_least=0.71)
KINDS = [
    CaseKind("gemm_f32", {"precision": "f32", "m": "2048", "n": "2048", "k": "2048"}, "gemm.throughput",
             "flop/second", "--compute-sp", "single_precision_compute", None, GEMM),
    CaseKind("read", {"kernel": "read"}, "memory.bandwidth", "byte/second", "--global-bandwidth",
             "global_memory_bandwidth", None, Goal(at_least=1.0)),
    CaseKind("host_read", {"kernel": "read"}, "memory.bandwidth", "byte/second", None, goal=Goal(at_least=0.9)),
    CaseKind("to_device", {"direction": "to_device", "memory": "pageable"}, "interconnect.transfer", "byte/second",
             "--transfer-bandwidth", "transfer_bandwidth", "enqueuewritebuffer"),
    CaseKind("to_host", {"direction": "to_host", "memory": "pageable"}, "interconnect.transfer", "byte/second",
             "--transfer-bandwidth", "transfer_bandwidth", "enqueuereadbuffer"),
]
METRICS = {"gemm.throughput": "gemm.throughput", "memory.bandwidth": "memory.bandwidth",
           "interconnect.transfer": "interconnect.transfer.bandwidth"}
GIGA = 1e9  # clpeak's GFLOPS and GBPS


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = OneLineParser(prog="scripts/crosscheck accelerators", description=__doc__,
                           formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", metavar="opencl:N", default="opencl:0", help="default opencl:0")
    parser.add_argument("--cases", metavar="NAME,...", help="some of: " + ", ".join(kind.name for kind in KINDS))
    parser.add_argument("--rounds", type=in_range(int, 1, 1000), default=5, help="runs of each (default 5)")
    parser.add_argument("--json", metavar="FILE", help="all figures and both command lines; - for stdout")
    parser.add_argument("--binary", metavar="PATH", help="another assay than build/release/assay")
    parser.add_argument("--clpeak", metavar="PATH", help="another clpeak than Debian's")
    options = parser.parse_args(arguments)
    number = options.device.removeprefix("opencl:")
    if number == options.device or not number.isdecimal():
        raise BadInput(f"--device {options.device}: clpeak knows OpenCL's alone; accepted: opencl:0, opencl:1 ...")
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


# The devices

def listed_devices(assay: str) -> list[dict]:
    command = [assay, "list", "devices", "--json"]
    finished = process.run(command, 120)
    try:
        return json.loads(finished.output)["devices"]
    except (ValueError, KeyError) as error:
        raise CannotWork(f"assay list devices ended with {finished.status}: {finished.last_error()}") from error


def device_of(devices: list[dict], name: str) -> dict:
    for device in devices:
        if device["id"] == name:
            return device
    raise BadInput(f"--device {name}: not on this machine; its devices are "
                   f"{', '.join(device['id'] for device in devices)}")


def values_in(document: str, device_name: str, element: str) -> list[tuple[str, float]]:
    """Name and value of every line of clpeak's test on the device of that name."""
    try:
        root = xml.etree.ElementTree.fromstring(document)
    except xml.etree.ElementTree.ParseError as error:
        raise CaseFailed(f"clpeak wrote no XML: {error}") from error
    values = []
    for device in root.iter("device"):
        if device.get("name", "").strip() != device_name:
            continue
        for test in device.iter(element):
            values += [(line.tag.lower(), float(line.text)) for line in test if line.text]
    if not values:
        raise CaseFailed(f"clpeak's {element} has no figure of {device_name}")
    return values


# One run of each

@dataclasses.dataclass
class Pair:
    kind: CaseKind
    device: dict
    assay: str
    clpeak: str

    def assay_command(self, device: str | None = None) -> list[str]:
        settings = {"device": device or self.device["id"], **self.kind.settings}
        return [self.assay, "probe", self.kind.probe, "--json", "--quick"] + [
            part for name, value in settings.items() for part in ("--set", f"{name}={value}")]

    def peer_command(self, xml_file: str = "FILE") -> list[str]:
        if self.kind.peer_test is None:
            return self.assay_command("cpu:0")
        return [self.clpeak, "--use-event-timer", self.kind.peer_test, "--xml-file", xml_file]


def figure_of(outcome: dict, metric: str) -> float:
    for one in outcome["metrics"]:
        if one["name"] == metric:
            if not one["samples"] or min(one["samples"]) <= 0:
                raise CaseFailed(f"assay's {metric} has a sample of nothing")
            return statistics.harmonic_mean(one["samples"])
    raise CaseFailed(f"assay's outcome has no {metric}")


def run_assay(pair: Pair, device: str | None = None) -> dict:
    outcome, _ = tools.probe(pair.assay_command(device), LIMIT_SECONDS)
    return {"figure": figure_of(outcome, METRICS[pair.kind.probe]),
            "resolved": outcome["case"].get("resolved", {}),
            "foreign_cpu": (outcome.get("conditions") or {}).get("foreign_cpu")}


def run_peer(pair: Pair) -> dict:
    if pair.kind.peer_test is None:
        return run_assay(pair, "cpu:0")
    with tempfile.TemporaryDirectory(prefix="assay-crosscheck-") as folder:
        file = os.path.join(folder, "clpeak.xml")
        finished = process.run(pair.peer_command(file), LIMIT_SECONDS)
        if finished.status != 0 or not os.path.exists(file):
            raise CaseFailed(f"clpeak ended with {finished.status}: {finished.last_error()}")
        with open(file, encoding="utf-8") as written:
            values = values_in(written.read(), pair.device["name"], pair.kind.peer_element)
    wanted = pair.kind.peer_value
    figures = [value for name, value in values if wanted is None or name == wanted]
    if not figures:
        raise CaseFailed(f"clpeak printed no {wanted}")
    return {"figure": max(figures) * GIGA, "values": values}


def measured(pair: Pair, rounds: int) -> report.CaseResult:
    kind = pair.kind
    result = report.CaseResult(kind.name, kind.title, {"assay": pair.assay_command(), "peer": pair.peer_command()})
    try:
        if kind.peer_test is None and pair.device["kind"] != "cpu":
            raise CaseSkipped(f"{pair.device['id']} has memory of its own")
        results, result.order = pairs.alternate(rounds, {pairs.ASSAY: lambda number: run_assay(pair),
                                                         pairs.PEER: lambda number: run_peer(pair)})
        runs = pairs.against(pairs.PEER, results)
        result.rows = pairs.rows_of([Quantity("figure", "figure", kind.unit, kind.goal)], runs)
        result.details = {"assay_runs": [one[0] for one in runs], "peer_runs": [one[1] for one in runs]}
    except CaseSkipped as skipped:
        result.status, result.reason = "skipped", str(skipped)
    except (CaseFailed, KeyError) as failed:
        result.status = "failed"
        result.reason = f"a figure is missing: {failed}" if isinstance(failed, KeyError) else str(failed)
    return result


def run(arguments: list[str]) -> int:
    options = options_of(arguments)
    kinds = kinds_of(options.cases)
    clpeak = tools.peer("clpeak", options.clpeak)
    assay = tools.assay(options.binary)
    device = device_of(listed_devices(assay), options.device)
    print(f"{len(kinds)} cases, {options.rounds} rounds each: about "
          f"{len(kinds) * options.rounds * 15 / 60:.0f} min", file=sys.stderr, flush=True)
    system = os.uname()
    head = {"domain": "accelerators", "peer": "clpeak",
            "started_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "machine": {"kernel": f"{system.sysname} {system.release}", "cpus": os.cpu_count()}, "device": device,
            "versions": {"assay": tools.version(assay), "peer": tools.version(clpeak)}, "rounds": options.rounds,
            "method": __doc__}
    results = []
    for kind in kinds:
        print(f"{kind.name}: {kind.title}", file=sys.stderr, flush=True)
        results.append(measured(Pair(kind, device, assay, clpeak), options.rounds))
    warnings = report.disturbance(one["foreign_cpu"] for result in results
                                  for one in result.details.get("assay_runs", []))
    return report.write(head, "peer", results, [], warnings, options.json)

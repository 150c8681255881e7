"""Random reads and writes of 4 KiB against fio with the equal job on the same target.

Both get the same target, time, depth and number of jobs, with O_DIRECT, and a new seed each round. They take
turns, and who goes first alternates. A ratio is assay's figure divided by fio's of the same round; the median of
the rounds is held against the goal.

IOPS      the mean over the measured time, of both.
latency   of both from before the submission until the completion is reaped: fio's `lat`, not its `clat`; its
          percentiles are those of --lat_percentiles.
CPU       user and system time of the whole process, the kernel's I/O workers with it, for one operation. Of assay its
          own figure over the measured time. Of fio all that the kernel charged to the process (wait4), less what
          the same command costs when it does one operation and ends (0.15 s: allocating, generators, statistics),
          divided by all its operations: it has no ramp, so that all of them are counted. Both are verified by a second
          way (assay: what the kernel charged, divided by all its operations; fio: its own usr_cpu and sys_cpu), but for
          assay where it tries its engines first (best, ram_disk), which the kernel charges as well; a warning says
          where the two differ by more than 5 %, or where rate and latency contradict Little's law.

A file is made for it, written in full by fio with incompressible data, and removed however this ends. A named target
is only read. Writes go to the same file: where a file lies on its disk, two of one size can differ by half in speed.
Before each run of either it is written in full by assay, which verifies what it writes and would find fio's blocks;
of these fio spares the first, by which assay knows the file as its own.
"""
import argparse
import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import re
import stat
import statistics
import sys
import tempfile
from typing import Iterator

from . import pairs, process, report, tools
from .arguments import OneLineParser, byte_count, in_range
from .failures import BadInput, CannotWork, CaseFailed, CaseSkipped
from .pairs import Goal, Quantity

AGREEMENT = 0.05       # the two ways to tell CPU time
MEMORY_LIMIT = 64 << 20
BLOCK_BYTES = 4096


@dataclasses.dataclass
class CaseKind:
    name: str
    title: str
    one_by_one: bool            # depth 1 and one job, whatever is asked for
    engine: str                 # assay's
    batch: str                  # assay's: "1", "auto", or "quarter" of the depth, given to fio as well
    peer_engine: str
    goals: dict[str, Goal]
    writes: bool = False
    kind_of_target: str = "disk"


ON_DISK = {"iops": Goal(at_least=0.98), "p50": Goal(at_most=1.03), "p99": Goal(at_most=1.03)}
ALIKE = {**ON_DISK, "cpu": Goal(at_most=0.9)}
BEST = {**ON_DISK, "cpu": Goal(at_most=0.7)}
BEST_IN_MEMORY = {"iops": Goal(at_least=1.08), "cpu": Goal(at_most=0.92)}

KINDS = [
    CaseKind("throughput", "libaio both, in batches", False, "libaio", "quarter", "libaio", ALIKE),
    CaseKind("plain", "libaio both, fio's plain job, assay with batch=1", False, "libaio", "1", "libaio", ALIKE),
    CaseKind("best", "assay as it is, fio's plain libaio job", False, "auto", "auto", "libaio", BEST),
    CaseKind("latency", "libaio both", True, "libaio", "1", "libaio", ALIKE),
    CaseKind("io_uring", "io_uring both, in batches", False, "io_uring", "quarter", "io_uring", ALIKE),
    CaseKind("ram_disk", "assay as it is, fio's plain libaio job", False, "auto", "auto", "libaio", BEST_IN_MEMORY,
             kind_of_target="ram disk"),
    CaseKind("write", "libaio both, in batches", False, "libaio", "quarter", "libaio", ALIKE, writes=True),
    CaseKind("write_latency", "libaio both", True, "libaio", "1", "libaio", ALIKE, writes=True),
]


def quantities_of(kind: CaseKind) -> list[Quantity]:
    units = [("iops", "IOPS", "operation/second"), ("mean", "mean", "second"), ("p50", "p50", "second"),
             ("p99", "p99", "second"), ("cpu", "CPU / I/O", "second")]
    return [Quantity(name, title, unit, kind.goals.get(name)) for name, title, unit in units
            if name != "mean" or kind.one_by_one]


# What the user asks for

@dataclasses.dataclass
class Target:
    path: str
    bytes: int
    kind: str          # "disk" or "ram disk"
    named: bool


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = OneLineParser(prog="scripts/crosscheck storage", description=__doc__,
                           formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", metavar="PATH", help="block device or file, only read; default: a file made for it")
    parser.add_argument("--size", type=byte_count, help="bytes to use (default 2G of a file made, all of a target)")
    parser.add_argument("--seconds", type=in_range(float, 0.1, 86400), default=5.0, help="of each run (default 5)")
    parser.add_argument("--rounds", type=in_range(int, 1, 1000), default=5, help="runs of each (default 5)")
    parser.add_argument("--cases", metavar="NAME,...", help="some of: " + ", ".join(kind.name for kind in KINDS))
    parser.add_argument("--queue-depth", type=in_range(int, 1, 4096), default=32, help="of each job (default 32)")
    parser.add_argument("--jobs", type=in_range(int, 1, 256), help="threads (default 4, on a RAM disk 2)")
    parser.add_argument("--json", metavar="FILE", help="all figures and both command lines; - for stdout")
    parser.add_argument("--scratch", metavar="DIR", default=".", help="where the file is made (default: here)")
    parser.add_argument("--binary", metavar="PATH", help="another assay than build/release/assay")
    parser.add_argument("--fio", metavar="PATH", help="another fio than Debian's")
    options = parser.parse_args(arguments)
    report.check_json_place(options.json)
    return options


def named_target(path: str, size: int | None) -> Target:
    for character in ",\n":
        if character in path:
            raise BadInput(f"--target {path!r}: one target without {character!r} in its path")
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISBLK(mode) and not stat.S_ISREG(mode):
            raise BadInput(f"--target {path}: neither a block device nor a file")
        with open(path, "rb") as file:
            whole = file.seek(0, os.SEEK_END)
    except OSError as error:
        raise BadInput(f"--target {path}: {error.strerror}") from error
    used = whole if size is None else size
    if used > whole:
        raise BadInput(f"--size {used}: {path} has only {whole} bytes")
    in_memory = stat.S_ISBLK(mode) and re.match(r"(zram|ram|pmem)\d", pathlib.Path(path).resolve().name)
    return Target(os.path.abspath(path), used // BLOCK_BYTES * BLOCK_BYTES, "ram disk" if in_memory else "disk", True)


def cases_of(names: str | None, target: Target | None) -> list[CaseKind]:
    kind_of_target = target.kind if target else "disk"
    usable = [kind for kind in KINDS if kind.kind_of_target == kind_of_target and not (kind.writes and target)]
    if names is None:
        return usable
    by_name = {kind.name: kind for kind in KINDS}
    chosen = []
    for name in names.split(","):
        if name not in by_name:
            raise BadInput(f"--cases {name}: no such case; accepted: {', '.join(by_name)}")
        if by_name[name].writes and target:
            raise BadInput(f"--cases {name}: a named target is only read; leave --target out")
        if by_name[name].kind_of_target == "ram disk" and kind_of_target != "ram disk":
            raise BadInput(f"--cases {name}: needs a RAM disk such as --target /dev/zram0, written in full before")
        chosen.append(by_name[name])
    return chosen


# The two programs

def seconds_text(seconds: float) -> str:
    return f"{seconds:g}s" if seconds == int(seconds) else f"{round(seconds * 1000)}ms"


def fio_file(path: str) -> str:
    return path.replace("\\", "\\\\").replace(":", "\\:")  # fio takes a colon for the next file's name


@dataclasses.dataclass
class Load:
    """One case as both are told to do it."""
    kind: CaseKind
    depth: int
    jobs: int
    seconds: float
    assay: str
    fio: str
    file: str
    bytes: int

    @property
    def direction(self) -> str:
        return "write" if self.kind.writes else "read"

    @property
    def batch(self) -> str:
        return str(max(1, self.depth // 4)) if self.kind.batch == "quarter" else self.kind.batch

    def assay_command(self, number: int) -> list[str]:
        settings = {"size": self.bytes, "engine": self.kind.engine, "queue_depth": self.depth, "jobs": self.jobs,
                    "batch": self.batch, "seconds": f"{self.seconds:g}", "seed": number + 1}
        command = [self.assay, "probe", "storage.random_" + self.direction, "--json"]
        if self.kind.writes:
            command += ["--scratch", self.file]
            settings["steady_seconds"] = settings["seconds"]
        else:
            settings["target"] = self.file
        return command + [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]

    def fio_job(self, number: int) -> list[str]:
        spared = BLOCK_BYTES if self.kind.writes else 0
        command = [self.fio, "--name=crosscheck", "--filename=" + fio_file(self.file), f"--offset={spared}",
                   f"--size={self.bytes - spared}", f"--rw=rand{self.direction}", f"--bs={BLOCK_BYTES}", "--direct=1",
                   f"--ioengine={self.kind.peer_engine}", f"--iodepth={self.depth}", f"--numjobs={self.jobs}",
                   "--thread", "--allow_file_create=0", f"--randseed={number + 1}"]
        # What assay writes is new each time, so that a device can neither compress nor merge it.
        command.append("--refill_buffers" if self.kind.writes else "--readonly")
        if self.kind.batch == "quarter":
            # As assay does it: wait for so many, take all that there are, and hand all of them over again at once.
            # Nor does assay keep a map of the blocks that it has been to.
            command += [f"--iodepth_batch_submit={self.depth}", f"--iodepth_batch_complete_min={self.batch}",
                        f"--iodepth_batch_complete_max={self.depth}", "--norandommap"]
        if self.kind.peer_engine == "io_uring":
            command += ["--registerfiles", "--fixedbufs"]
        return command + ["--group_reporting", "--output-format=json", "--lat_percentiles=1", "--clat_percentiles=0",
                          "--percentile_list=50:99"]

    def fio_command(self, number: int) -> list[str]:
        return self.fio_job(number) + ["--time_based", "--runtime=" + seconds_text(self.seconds)]

    def fio_start_command(self) -> list[str]:
        return self.fio_job(0) + ["--number_ios=1"]

    @property
    def limit_seconds(self) -> float:
        # Warm-up, trial of the engines, reading back of what was written; and a machine that is busy.
        return 120 + 10 * self.seconds


def run_fio(command: list[str], direction: str, limit: float) -> tuple[dict, process.Finished]:
    """The group's part of fio's JSON for the direction, with the job's own CPU shares beside it."""
    finished = process.run(command, limit)
    try:
        job = json.loads(finished.output[finished.output.index("{"):])["jobs"][0]
        error, part = job.get("error", 0), dict(job[direction])
        part.update({name: job.get(name, 0) for name in ("usr_cpu", "sys_cpu", "job_runtime")})
    except (ValueError, KeyError, IndexError, TypeError) as failure:
        raise CaseFailed(f"fio ended with {finished.status}: {finished.last_error()}") from failure
    if finished.status != 0 or error != 0:
        raise CaseFailed(f"fio ended with {finished.status}, error {error}: {finished.last_error()}")
    return part, finished


def fio_figures(part: dict, finished: process.Finished, start_cpu_seconds: float) -> dict:
    latency, operations = part["lat_ns"], part["total_ios"]
    if operations == 0:
        raise CaseFailed("fio did no operation")
    own = (part["usr_cpu"] + part["sys_cpu"]) / 100 * part["job_runtime"] / 1e3
    return {"iops": part["iops"], "mean": latency["mean"] * 1e-9,
            "p50": latency["percentile"]["50.000000"] * 1e-9, "p99": latency["percentile"]["99.000000"] * 1e-9,
            "cpu": (finished.cpu_seconds - start_cpu_seconds) / operations, "cpu_second_way": own / operations,
            "operations": operations}


def all_operations(outcome: dict) -> int | None:
    """Of the whole of assay's life, warm-up included, as one of its checks tells them."""
    for check in outcome.get("checks", []):
        match = re.search(r" for our (\d+)(?: bytes)?$", check.get("detail", ""))
        if match:
            return int(match[1]) // BLOCK_BYTES
    return None


def assay_figures(outcome: dict, finished: process.Finished, load: Load) -> dict:
    probe = "storage.random_" + load.direction
    latency = tools.summary(outcome, probe + ".latency")
    figures = {"iops": tools.summary(outcome, probe + ".iops")["mean"], "mean": latency["mean"],
               "p50": latency["percentiles"]["50"], "p99": latency["percentiles"]["99"],
               "cpu": tools.summary(outcome, probe + ".cpu_per_io")["mean"],
               "peak_bytes": finished.peak_bytes, "engine": outcome["case"].get("resolved", {}).get("engine"),
               "foreign_cpu": (outcome.get("conditions") or {}).get("foreign_cpu")}
    # Trials of the engines are in the process and not in the count. (Reading back some of what was written is, too,
    # but costs little.)
    operations = None if load.kind.engine == "auto" else all_operations(outcome)
    if operations:
        figures.update(cpu_second_way=finished.cpu_seconds / operations, operations=operations)
    return figures


# The cases

def agreement_warnings(results: list[tuple[dict, dict]]) -> list[str]:
    warnings = []
    for at, tool in ((0, "assay"), (1, "fio")):
        shares = [pair[at]["cpu_second_way"] / pair[at]["cpu"] for pair in results if pair[at].get("cpu_second_way")]
        if shares and abs(statistics.median(shares) - 1) > AGREEMENT:
            warnings.append(f"the two ways to tell the CPU time of {tool} differ by "
                            f"{(statistics.median(shares) - 1) * 100:+.0f} %; longer runs (--seconds) bring them "
                            "together")
    return warnings


def little_warnings(results: list[tuple[dict, dict]], in_flight: int) -> list[str]:
    """Little's law: a rate times the mean latency is what was in flight, of which there cannot have been more."""
    warnings = []
    for at, tool in ((0, "assay"), (1, "fio")):
        made = statistics.median(pair[at]["iops"] * pair[at]["mean"] for pair in results)
        if made > in_flight * (1 + AGREEMENT):
            warnings.append(f"IOPS and mean latency of {tool} make {made:.0f} operations in flight, of which there "
                            f"were {in_flight}: its IOPS are too high, as where its threads wait for a CPU")
    return warnings


def measure(load: Load, rounds: int, result: report.CaseResult) -> None:
    """Fills the result in."""
    def prepare() -> None:
        if load.kind.writes:
            fill_with_assay(load.assay, load.file, load.bytes)

    if load.kind.writes:
        os.truncate(load.file, 0)  # fio's content: assay writes to an empty file or its own
        prepare()
    starts = [run_fio(load.fio_start_command(), load.direction, load.limit_seconds)[1].cpu_seconds for _ in range(3)]
    start_cpu_seconds = statistics.median(starts)

    def run_assay(number: int) -> dict:
        prepare()
        outcome, finished = tools.probe(load.assay_command(number), load.limit_seconds)
        return assay_figures(outcome, finished, load)

    def run_peer(number: int) -> dict:
        prepare()
        part, finished = run_fio(load.fio_command(number), load.direction, load.limit_seconds)
        return fio_figures(part, finished, start_cpu_seconds)

    by_round, result.order = pairs.alternate(rounds, {pairs.ASSAY: run_assay, pairs.PEER: run_peer})
    results = pairs.against(pairs.PEER, by_round)
    result.rows = pairs.rows_of(quantities_of(load.kind), results)
    result.details = {"fio_start_cpu_seconds": start_cpu_seconds, "assay_runs": [pair[0] for pair in results],
                      "peer_runs": [pair[1] for pair in results]}
    result.warnings = agreement_warnings(results) + little_warnings(results, load.depth * load.jobs)


def title_of(load: Load) -> str:
    jobs = "1 job" if load.jobs == 1 else f"{load.jobs} jobs"
    return f"random {load.direction}, depth {load.depth} x {jobs}; {load.kind.title}"


def measured_case(load: Load, rounds: int) -> report.CaseResult:
    result = report.CaseResult(load.kind.name, title_of(load),
                               {"assay": load.assay_command(0), "peer": load.fio_command(0)})
    try:
        measure(load, rounds, result)
    except CaseSkipped as skipped:
        result.status, result.reason = "skipped", str(skipped)
    except (CaseFailed, KeyError) as failed:
        result.status = "failed"
        result.reason = f"a figure is missing: {failed}" if isinstance(failed, KeyError) else str(failed)
    return result


# The files

def room_for(folder: str, size: int) -> None:
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise BadInput(f"--scratch {folder}: no folder that can be written to")
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    if size > free // 2:
        raise BadInput(f"--size {size}: the file may take half of the {free} bytes that are free in {folder}")


@contextlib.contextmanager
def own_file(folder: str) -> Iterator[str]:
    """An empty file that is gone afterwards, however that comes about."""
    handle, path = tempfile.mkstemp(prefix="assay-crosscheck-", dir=os.path.abspath(folder))
    try:
        os.close(handle)
        yield path
    finally:
        os.unlink(path)


def fill_with_fio(fio: str, path: str, size: int) -> None:
    command = [fio, "--name=fill", "--filename=" + fio_file(path), f"--size={size}", "--rw=write", "--bs=1M",
               "--ioengine=libaio", "--iodepth=8", "--direct=1", "--refill_buffers", "--end_fsync=1",
               "--output-format=json"]
    try:
        run_fio(command, "write", 120 + size / 10e6)
    except CaseFailed as failed:
        raise CannotWork(f"the file could not be written: {failed}") from failed


def fill_with_assay(assay: str, path: str, size: int) -> None:
    """So that a measured run finds every block written, and as assay writes it."""
    command = [assay, "probe", "storage.random_write", "--json", "--scratch", path, "--set", f"size={size}", "--set",
               "engine=libaio", "--set", "seconds=0.1", "--set", "steady_seconds=0.1"]
    try:
        tools.probe(command, 120 + size / 10e6)
    except (CaseFailed, CaseSkipped) as failed:
        raise CannotWork(f"the file could not be written: {failed}") from failed


class Crosscheck:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.target = named_target(options.target, options.size) if options.target else None
        self.kinds = cases_of(options.cases, self.target)
        self.bytes = self.target.bytes if self.target else (options.size or 2 << 30) // BLOCK_BYTES * BLOCK_BYTES
        self.jobs = options.jobs or (2 if self.target and self.target.kind == "ram disk" else 4)
        if self.bytes < self.jobs * options.queue_depth * BLOCK_BYTES:
            raise BadInput(f"--size {self.bytes}: fewer blocks than are in flight at once")
        if not self.target:
            room_for(options.scratch, self.bytes)
        self.assay = tools.assay(options.binary)
        self.fio = tools.peer("fio", options.fio)
        self.results: list[report.CaseResult] = []

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def load(self, kind: CaseKind, file: str) -> Load:
        depth, jobs = (1, 1) if kind.one_by_one else (self.options.queue_depth, self.jobs)
        return Load(kind, depth, jobs, self.options.seconds, self.assay, self.fio, file, self.bytes)

    def measure_all(self) -> None:
        with contextlib.ExitStack() as files:
            if self.target:
                file = self.target.path
            else:
                file = files.enter_context(own_file(self.options.scratch))
                self.say(f"writing {file}, {report.scaled(self.bytes, 'byte')}")
                fill_with_fio(self.fio, file, self.bytes)
            # Reads come first: writes replace the content.
            for kind in sorted(self.kinds, key=lambda kind: kind.writes):
                self.measure_case(self.load(kind, file))

    def measure_case(self, load: Load) -> None:
        self.say(f"{load.kind.name}: {title_of(load)}")
        self.results.append(measured_case(load, self.options.rounds))

    def memory(self) -> list[report.Limit]:
        """The largest process of assay, beside the blocks in flight."""
        peaks = [run["peak_bytes"] - self.options.queue_depth * self.jobs * BLOCK_BYTES
                 for result in self.results for run in result.details.get("assay_runs", [])]
        if not peaks:
            return []
        return [report.Limit("peak_memory", "assay's peak memory beside its buffers", max(peaks), MEMORY_LIMIT,
                             "byte")]

    def warnings(self) -> list[str]:
        return report.disturbance(run["foreign_cpu"] for result in self.results
                                  for run in result.details.get("assay_runs", []))

    def head(self) -> dict:
        system = os.uname()
        target = {"path": self.target.path if self.target else None, "bytes": self.bytes,
                  "kind": self.target.kind if self.target else "disk",
                  "preparation": "as it is" if self.target else "written in full by fio --refill_buffers"}
        return {"domain": "storage", "peer": "fio",
                "started_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                "machine": {"kernel": f"{system.sysname} {system.release}", "cpus": os.cpu_count()},
                "versions": {"assay": tools.version(self.assay), "peer": tools.version(self.fio)},
                "target": target, "seconds": self.options.seconds, "rounds": self.options.rounds,
                "queue_depth": self.options.queue_depth, "jobs": self.jobs, "method": __doc__}


def run(arguments: list[str]) -> int:
    options = options_of(arguments)
    crosscheck = Crosscheck(options)
    head = crosscheck.head()
    preparations = sum(2 * (2 + crosscheck.bytes / 500e6) for kind in crosscheck.kinds if kind.writes)
    expected = options.rounds * (len(crosscheck.kinds) * (2 * options.seconds + 3) + preparations)
    crosscheck.say(f"{len(crosscheck.kinds)} cases, {options.rounds} rounds each: about {expected / 60:.0f} min")
    crosscheck.measure_all()
    return report.write(head, "fio", crosscheck.results, crosscheck.memory(), crosscheck.warnings(), options.json)

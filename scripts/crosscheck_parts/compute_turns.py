"""How a case of scripts/crosscheck compute is measured: everybody's turns, and the rows made of them."""
import dataclasses
import statistics

from . import benchmarks, pairs, report, tools
from .compute_cases import BEST, CEILING, READING, TITLES, Case
from .failures import CaseFailed, CaseSkipped
from .pairs import ASSAY, Quantity, Row

LIMIT_SECONDS = 600
FLAGS = {"avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"}}  # of an isa that a kind fixes


@dataclasses.dataclass
class Tools:
    assay: str | None
    benchmarks: str | None
    cpus: list[int]
    seconds: float
    flags: set[str]


def probe_command(used: Tools, probe: str, parameters: dict[str, str]) -> list[str]:
    settings = {**parameters, "threads": str(len(used.cpus))}
    return ["taskset", "-c", ",".join(map(str, used.cpus)), used.assay, "probe", probe, "--json", "--quick",
            *(word for name, value in settings.items() for word in ("--set", f"{name}={value}"))]


def commands_of(case: Case, used: Tools) -> dict[str, list[str]]:
    """By party, assay first; the ceiling, or the memory, last."""
    own = {party: probe_command(used, probe, parameters) for party, (_, probe, parameters) in case.probes().items()}
    peers = {peer: benchmarks.command(used.benchmarks, case.benchmark(peer), used.seconds, used.cpus,
                                      case.peer_environment(peer)) for peer in case.kind.peers}
    return {ASSAY: own.pop(ASSAY), **peers, **own}


def run_probe(command: list[str], metric: str, unit: str) -> dict:
    outcome, _ = tools.probe(command, LIMIT_SECONDS)
    for one in outcome["metrics"]:
        if one["name"] == metric:
            break
    else:
        raise CaseFailed(f"assay's outcome has no {metric}")
    if one["unit"] != unit:
        raise CaseFailed(f"assay gives {metric} in {one['unit']}, not in {unit}")
    if not one["samples"] or min(one["samples"]) <= 0:
        raise CaseFailed(f"assay's {metric} has a sample of nothing")
    return {"figure": statistics.harmonic_mean(one["samples"]), "median": one["value"],
            "limit": (one.get("limit") or {}).get("value"),
            "resolved": outcome["case"].get("resolved") or {},
            "foreign_cpu": (outcome.get("conditions") or {}).get("foreign_cpu")}


def run_party(case: Case, party: str, command: list[str]) -> dict:
    if party in case.kind.peers:
        return benchmarks.run(case.benchmark(party), command, LIMIT_SECONDS)
    return run_probe(command, case.probes()[party][0], case.unit)


def isas_of(runs: list[dict]) -> str:
    """The instruction set that these runs of assay used; nothing where they do not say, all of them if several."""
    return ", ".join(sorted({run["resolved"].get("isa", "") for run in runs}))


def rows_of(case: Case, results: list[dict[str, dict]], others: list[str], goals: dict[str, pairs.Goal]) -> list[Row]:
    figures = {party: [result[party]["figure"] for result in results] for party in (ASSAY, *others)}
    peers = [party for party in others if party in case.kind.peers]
    if len(case.kind.peers) > 1 and len(peers) == len(case.kind.peers):
        figures[BEST] = [max(result[peer]["figure"] for peer in peers) for result in results]
    order = [*peers, BEST, *(party for party in others if party not in peers)]
    rows = [pairs.row_of(Quantity(party, TITLES[party], case.unit, goals.get(party)),
                         list(zip(figures[ASSAY], figures[party]))) for party in order if party in figures]
    if case.kind.probe == "gemv":
        rows.insert(0, pairs.row_of(Quantity(READING, TITLES[READING], case.unit, goals.get(READING)),
                                    [(result[ASSAY]["median"], read_in_turns(result[ASSAY])) for result in results]))
    return rows


def read_in_turns(run: dict) -> float:
    if not run["limit"]:
        raise CaseFailed("assay does not say what reading the same weights gave")
    return run["limit"]


def remarks(case: Case, used: Tools, results: list[dict[str, dict]], goals_held: bool) -> list[str]:
    """What makes a row less than it seems."""
    isa = isas_of([result[ASSAY] for result in results])
    ceiling = isas_of([result[CEILING] for result in results if result.get(CEILING)])
    said = []
    if isa and ceiling and isa != ceiling:
        said.append(f"the product used {isa}, and its ceiling is that of {ceiling}")
    needed = case.kind.goals_need
    if not goals_held and case.isa == "auto" and any(flag.startswith(needed) for flag in used.flags):
        said.append(f"the CPU has {needed}, and assay used {isa or 'something that it does not say'}: no goal was held")
    return said


def measure(case: Case, used: Tools, rounds: int, result: report.CaseResult) -> None:
    """Fills the result in. A party that cannot take part leaves the others to be compared."""
    if case.kind.isa and not FLAGS[case.kind.isa] <= used.flags:
        raise CaseSkipped(f"this CPU has no {', '.join(sorted(FLAGS[case.kind.isa] - used.flags))}")
    absent: dict[str, str] = {}

    def turn(party: str) -> dict:
        if party in absent:
            return {}
        try:
            return run_party(case, party, result.commands[party])
        except CaseSkipped as skipped:
            if party == ASSAY:
                raise
            absent[party] = f"{TITLES[party]}: {skipped}"
            return {}

    results, order = pairs.alternate(rounds, {party: lambda _, party=party: turn(party) for party in result.commands})
    others = [party for party in result.commands if party not in (ASSAY, *absent)]
    result.order = [party for party in order if party not in absent]
    result.details = {f"{party}_runs": [one[party] for one in results] for party in (ASSAY, *others)}
    isa = isas_of([one[ASSAY] for one in results])
    held = case.kind.goals_need in (None, isa)
    result.title += f"; assay used {isa}" if isa else ""
    result.title += "" if held else f"; the goals are for {case.kind.goals_need}"
    result.rows = rows_of(case, results, others, case.kind.goals if held else {})
    if absent:
        result.status, result.reason = "incomplete" if result.rows else "skipped", "; ".join(absent.values())
    result.warnings = remarks(case, used, results, held)


def measured_case(case: Case, used: Tools, rounds: int) -> report.CaseResult:
    result = report.CaseResult(case.name, case.title, commands_of(case, used))
    try:
        measure(case, used, rounds, result)
    except CaseSkipped as skipped:
        result.status, result.reason = "skipped", str(skipped)
    except (CaseFailed, KeyError) as failed:
        result.status = "failed"
        result.reason = f"a figure is missing: {failed}" if isinstance(failed, KeyError) else str(failed)
    return result

"""Stands for kernel_benchmarks and for assay's compute probes: prints figures that the test chose, and writes down how
it was called.

It is called through a wrapper that gives its name, "kernel_benchmarks" or "assay". The folder in MADE_UP holds
plan.json with, by tool, {"figures": {probe or benchmark without its size: a rate or a list of such, taken in turn}, "behave":
{the same: how}}, and of assay "units", "isa" (by probe) and "conditions"; calls are appended to calls.
"""
import json
import os
import re
import sys
import time

METRICS = {"gemm.throughput": "gemm.throughput", "gemm.ceiling": "gemm.ceiling", "memory.bandwidth": "memory.bandwidth",
           "quantized.gemv": "quantized.gemv.bandwidth"}


def unit_of(probe, settings):
    if probe in ("memory.bandwidth", "quantized.gemv"):
        return "byte/second"
    return "operation/second" if settings["precision"] == "int8" else "flop/second"


def assay(probe, rate, arguments, plan, behave):
    settings = dict(part.split("=", 1) for part in arguments if "=" in part)
    unit = plan.get("units", {}).get(probe, unit_of(probe, settings))
    metric = {"name": METRICS[probe], "unit": unit, "value": rate, "samples": [rate, rate / 3]}
    if probe == "quantized.gemv" and behave != "no limit":
        metric["limit"] = {"value": plan.get("reading", 60e9), "source": "made up"}
    outcome = {"status": "measured", "reason": None, "conditions": plan.get("conditions"),
               "metrics": [] if behave == "no metric" else [metric],
               "case": {"resolved": {"isa": plan.get("isa", {}).get(probe, "avx512")}}}
    if behave in ("skipped", "failed"):
        outcome.update(status=behave, reason="not on this machine")
    print(json.dumps(outcome))
    return {"skipped": 3, "failed": 1}.get(behave, 0)


def kernel_benchmarks(name, rate, behave):
    one = {"name": f"{name}/real_time", "op/s": rate, "label": "made up"}
    if behave == "no rate":
        del one["op/s"]
    if behave in ("wrong result", "not possible here"):
        one = {"name": one["name"], "error_occurred": True, "error_message": f"{behave}: says the benchmark"}
    print(json.dumps({"context": {}, "benchmarks": [] if behave == "no match" else [one]}))
    return 0


def main(name, arguments):
    if arguments == ["--version"]:
        print(f"{name} 1.0 made up")
        return 0
    folder = os.environ["MADE_UP"]
    with open(f"{folder}/plan.json", encoding="utf-8") as file:
        plan = json.load(file)[name]
    if arguments == ["--benchmark_list_tests"]:
        for benchmark in plan["figures"]:
            print(f"{benchmark}/n:2048/real_time\n{benchmark}/n:4096/real_time")
        return 0
    if name == "assay":
        asked = arguments[1]
    else:
        asked = re.search(r"--benchmark_filter=\^(\S+)/", " ".join(arguments))[1]
    call = [name, asked, os.environ.get("DNNL_MAX_CPU_ISA"), arguments]
    with open(f"{folder}/calls", "a+", encoding="utf-8") as calls:
        calls.seek(0)
        earlier = sum(json.loads(line)[:2] == call[:2] for line in calls)
        calls.write(json.dumps(call) + "\n")
    key = asked.split("/n:")[0]
    figures, behave = plan["figures"][key], plan.get("behave", {}).get(key)
    rate = figures[earlier % len(figures)] if isinstance(figures, list) else figures
    if behave == "hang":
        time.sleep(60)
    if behave == "unusable":
        print("progress 0.5 multiplying\nthis CPU has no such thing", file=sys.stderr)
        return 2
    if behave == "rubbish":
        print("no figures")
        return 0
    return assay(asked, rate, arguments, plan, behave) if name == "assay" else kernel_benchmarks(asked, rate, behave)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

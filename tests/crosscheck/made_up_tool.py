"""Stands for fio and for assay: prints figures that the test chose, and writes down how it was called.

It is called through a wrapper that gives its name, "fio" or "assay". The folder in MADE_UP holds plan.json with, by
tool, {"figures": {"iops", "latency", "cpu"} or a list of such, "behave": how}; calls are appended to calls.
"""
import json
import os
import sys
import time


def burn(seconds):
    """Uses so much CPU time of this process."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def summary(value):
    return {"mean": value, "median": value, "percentiles": {"50": value, "99": value * 2}}


def assay(figures, arguments):
    settings = dict(part.split("=", 1) for part in arguments if "=" in part)
    probe = arguments[1]
    metrics = [{"name": f"{probe}.{name}", "summary": summary(value)} for name, value in
               (("iops", figures["iops"]), ("latency", figures["latency"]), ("cpu_per_io", figures["cpu"]))]
    return {"status": "measured", "reason": None, "metrics": metrics, "conditions": figures.get("conditions"),
            "case": {"resolved": {"engine": settings.get("engine", "libaio")}},
            "checks": [{"name": "reads reached the device", "passed": True,
                        "detail": f"vda read 1 bytes for our {figures.get('operations', 0) * 4096}"}]}


def fio(figures, arguments):
    if any(argument == "--rw=write" for argument in arguments):
        name = next(a for a in arguments if a.startswith("--filename=")).split("=", 1)[1]
        size = int(next(a for a in arguments if a.startswith("--size=")).split("=", 1)[1])
        with open(name, "r+b") as file:
            file.truncate(size)
    percentile = {"50.000000": figures["latency"] * 1e9, "99.000000": figures["latency"] * 2e9}
    part = {"iops": figures["iops"], "total_ios": figures.get("operations", 1000),
            "lat_ns": {"mean": figures["latency"] * 1e9, "percentile": percentile}}
    return {"jobs": [{"error": 0, "read": part, "write": part, "usr_cpu": figures.get("usr_cpu", 0), "sys_cpu": 0,
                      "job_runtime": 1000}]}


def main(name, arguments):
    if arguments == ["--version"]:
        print(f"{name} 1.0 made up")
        return 0
    folder = os.environ["MADE_UP"]
    with open(f"{folder}/calls", "a", encoding="utf-8") as calls:
        calls.write(json.dumps([name] + arguments) + "\n")
    with open(f"{folder}/plan.json", encoding="utf-8") as file:
        plan = json.load(file)[name]
    measured = name == "assay" or "--time_based" in arguments
    figures = plan["figures"]
    if isinstance(figures, list):  # one a round; rounds are told apart by their seeds
        seeds = [part.split("=")[1] for part in arguments if part.startswith(("seed=", "--randseed="))]
        figures = figures[int(seeds[0]) - 1 if seeds else 0]
    behave = plan.get("behave") if measured else None
    if behave == "hang":
        time.sleep(60)
    if behave in ("unusable", "broken"):
        print("progress 0.5 reading\nthe disk said no", file=sys.stderr)
        return 2 if behave == "unusable" else 1
    if behave == "rubbish":
        print("{ no JSON")
        return 0
    if measured and name == "fio":
        burn(figures.get("burn", 0.02))
    outcome = (assay if name == "assay" else fio)(figures, arguments)
    if behave in ("skipped", "failed"):
        outcome.update(status=behave, reason="not on this machine")
        print(json.dumps(outcome))
        return 3 if behave == "skipped" else 1
    print("fio: a note before the document" if name == "fio" else "", json.dumps(outcome), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

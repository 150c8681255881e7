"""Stands for likwid-bench and for assay's memory.bandwidth: prints figures that the test chose, and writes down how it
was called.

It is called through a wrapper that gives its name, "likwid-bench" or "assay". The folder in MADE_UP holds plan.json
with, by tool, {"figures": a rate or a list of such, taken in turn, "behave": how}; calls are appended to calls.
"""
import json
import os
import sys

ELEMENT_BYTES = {"load": 8, "store": 8, "copy": 16, "stream": 24}


def assay(rate, plan):
    samples = {"memory.bandwidth.plain": [rate, rate / 3], "memory.bandwidth": [2 * rate, 2 * rate / 3]}
    metrics = [{"name": name, "value": values[0], "samples": values} for name, values in samples.items()]
    return {"status": "measured", "reason": None, "metrics": metrics, "conditions": plan.get("conditions"),
            "case": {"resolved": {"bytes": "5000000"}}}


def likwid(rate, arguments, behave):
    kernel = arguments[arguments.index("-t") + 1].split("_")[0]
    stored = 0 if kernel == "load" else 8
    loaded = ELEMENT_BYTES[kernel] - stored + (8 if behave == "counts otherwise" else 0)
    print(f"Time:\t\t\t7.910638e-01 sec\nSize (Byte):\t\t1000\nMByte/s:\t\t{rate / 1e6:.2f}\n"
          f"Load bytes per element:\t{loaded}\nStore bytes per elem.:\t{stored}")


def main(name, arguments):
    if arguments in (["--version"], ["-v"]):
        print(f"{name} 1.0 made up")
        return 0
    folder = os.environ["MADE_UP"]
    with open(f"{folder}/plan.json", encoding="utf-8") as file:
        plan = json.load(file)[name]
    if arguments == ["-p"]:
        cpus = "0 1" if plan.get("second_cpu") else "0"
        print(f"Number of Domains 2\nDomain 0:\n\tTag N: {cpus}\nDomain 1:\n\tTag S0: 0")
        return 0
    with open(f"{folder}/calls", "a+", encoding="utf-8") as calls:
        calls.seek(0)
        earlier = sum(json.loads(line)[0] == name for line in calls)
        calls.write(json.dumps([name] + arguments) + "\n")
    figures, behave = plan["figures"], plan.get("behave")
    rate = figures[earlier % len(figures)] if isinstance(figures, list) else figures
    if behave == "broken":
        print("Error: Unknown test case")
        return 1
    if behave == "rubbish":
        print("no figures")
        return 0
    if name == "likwid-bench":
        likwid(rate, arguments, behave)
        return 0
    outcome = assay(rate, plan)
    if behave in ("skipped", "failed"):
        outcome.update(status=behave, reason="not on this machine")
    print(json.dumps(outcome))
    return {"skipped": 3, "failed": 1}.get(behave, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

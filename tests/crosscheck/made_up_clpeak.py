"""Stands for clpeak and for assay's probes on devices: prints figures that the test chose, and writes down how it was
called.

It is called through a wrapper that gives its name, "clpeak" or "assay". The folder in MADE_UP holds plan.json with, by
tool, {"figures": a rate (of assay by device), "behave": how}; calls are appended to calls.
"""
import json
import os
import sys

DEVICES = [{"id": "cpu:0", "kind": "cpu", "name": "Made CPU"},
           {"id": "opencl:0", "kind": "cpu", "name": "made-cpu-device"},
           {"id": "opencl:1", "kind": "gpu", "name": "made-card"}]
METRICS = {"gemm.throughput": "gemm.throughput", "memory.bandwidth": "memory.bandwidth",
           "interconnect.transfer": "interconnect.transfer.bandwidth"}


def clpeak_xml(rate, behave):
    giga = rate / 1e9
    lines = {"single_precision_compute": ["float", "float4"], "global_memory_bandwidth": ["float", "float16"],
             "transfer_bandwidth": ["enqueuewritebuffer", "enqueuereadbuffer"]}
    tests = "".join(f"<{test}>" + "".join(f"<{name}>{giga * (index + 1)}</{name}>"
                                          for index, name in enumerate(names)) + f"</{test}>"
                    for test, names in lines.items())
    device = "another" if behave == "other device" else "made-cpu-device"
    # A second device, whose figures must not be taken.
    other = "<device name='made-card'><global_memory_bandwidth><float>1e9</float></global_memory_bandwidth></device>"
    return f"<clpeak><platform name='made'><device name='{device}'>{tests}</device>{other}</platform></clpeak>"


def main(name, arguments):
    if arguments == ["--version"]:
        print(f"{name} 1.0 made up")
        return 0
    if arguments[:2] == ["list", "devices"]:
        print(json.dumps({"devices": DEVICES}))
        return 0
    folder = os.environ["MADE_UP"]
    with open(f"{folder}/plan.json", encoding="utf-8") as file:
        plan = json.load(file)[name]
    with open(f"{folder}/calls", "a", encoding="utf-8") as calls:
        calls.write(json.dumps([name] + arguments) + "\n")
    behave = plan.get("behave")
    if behave == "broken":
        print("no platform", file=sys.stderr)
        return 1
    if name == "clpeak":
        with open(arguments[arguments.index("--xml-file") + 1], "w", encoding="utf-8") as file:
            file.write("<clpeak" if behave == "rubbish" else clpeak_xml(plan["figures"], behave))
        return 0
    device = next(part.split("=")[1] for part in arguments if part.startswith("device="))
    rate = plan["figures"][device]
    outcome = {"status": "measured", "reason": None, "case": {"resolved": {}}, "conditions": None,
               "metrics": [{"name": METRICS[arguments[1]], "value": rate, "samples": [rate, rate / 3]}]}
    if behave in ("skipped", "failed"):
        outcome.update(status=behave, reason="not on this machine")
    print(json.dumps(outcome))
    return {"skipped": 3, "failed": 1}.get(behave, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

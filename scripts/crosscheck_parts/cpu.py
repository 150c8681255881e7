"""What the machine's CPUs are, as far as a crosscheck has to know."""
import os
import pathlib
import re


def cpuinfo() -> str:
    return pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")


def flags_in(text: str) -> set[str]:
    return set(re.findall(r"\w+", next((line for line in text.splitlines() if line.startswith("flags")), "")))


def widest_isa(text: str) -> str:
    flags = flags_in(text)
    return "avx512" if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags else \
        "avx2" if {"avx2", "fma", "f16c"} <= flags else "portable"


def allowed(topology: str = "/sys/devices/system/cpu") -> list[int]:
    """The CPUs that this process may use, one of every core first, as assay takes them."""
    seen: dict[str, int] = {}
    order = []
    for cpu in sorted(os.sched_getaffinity(0)):
        try:
            core = pathlib.Path(topology, f"cpu{cpu}", "topology", "thread_siblings_list").read_text("ascii").strip()
        except OSError:
            core = f"cpu{cpu}"  # not told: a core of its own
        seen[core] = seen.get(core, 0) + 1
        order.append((seen[core], cpu))
    return [cpu for _, cpu in sorted(order)]

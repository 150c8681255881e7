"""What scripts/crosscheck compute compares: the cases, their parties and goals."""
import dataclasses
import re

from .failures import BadInput
from .pairs import ASSAY, Goal

GEMM_SIZES = (256, 512, 1024, 2048, 4096, 8192)   # those of tests/benchmarks
GEMV_SHAPES = ("14336x4096", "4096x14336", "18432x7168")

BEST, CEILING, MEMORY, ONEDNN, OPENBLAS, READING = "best_peer", "ceiling", "memory", "onednn", "openblas", "reading"
TITLES = {BEST: "best peer", CEILING: "ceiling", MEMORY: "memory", ONEDNN: "oneDNN", OPENBLAS: "OpenBLAS",
          READING: "reading"}

# What oneDNN may use at most, for an instruction set of assay; without a line here, everything.
ONEDNN_LIMITS = {"portable": "SSE41", "avx2": "AVX2_VNNI", "avx512": "AVX512_CORE_BF16"}


@dataclasses.dataclass
class CaseKind:
    name: str
    probe: str                  # "gemm" or "gemv"
    numbers: str                # the precision of a gemm, the format of a gemv's weights
    goals: dict[str, Goal]      # by the party that assay is divided by
    peers: tuple[str, ...] = ()
    isa: str | None = None      # whatever is asked for
    goals_need: str | None = None   # the instruction set that the goals are for


ON_AMX = {ONEDNN: Goal(at_least=1.5), CEILING: Goal(at_least=0.55)}
BY_READING = {READING: Goal(at_least=0.9)}

KINDS = [
    CaseKind("int8", "gemm", "int8", ON_AMX, (ONEDNN,), goals_need="amx"),
    CaseKind("bf16", "gemm", "bf16", ON_AMX, (ONEDNN,), goals_need="amx"),
    CaseKind("f32", "gemm", "f32", {BEST: Goal(at_least=0.98)}, (OPENBLAS, ONEDNN)),
    CaseKind("int8_avx512", "gemm", "int8", {CEILING: Goal(at_least=0.75)}, (ONEDNN,), isa="avx512"),
    CaseKind("gemv_int8", "gemv", "int8", BY_READING),
    CaseKind("gemv_int4", "gemv", "int4", BY_READING),
    CaseKind("gemv_int4_g128", "gemv", "int4_g128", BY_READING),
]


def shape_of(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,6})x([1-9]\d{0,6})", text)
    if match is None:
        raise BadInput(f"--shapes {text}: no shape; accepted: rows x columns like {GEMV_SHAPES[0]}")
    return int(match[1]), int(match[2])


@dataclasses.dataclass
class Case:
    kind: CaseKind
    shape: tuple[int, ...]      # (m, n, k) or (m, k)
    asked_isa: str

    @property
    def isa(self) -> str:
        return self.kind.isa or self.asked_isa

    @property
    def name(self) -> str:
        return f"{self.kind.name}_{self.shape[0] if self.kind.probe == 'gemm' else 'x'.join(map(str, self.shape))}"

    @property
    def title(self) -> str:
        if self.kind.probe == "gemv":
            return f"{self.kind.numbers} weights [{self.shape[0]} x {self.shape[1]}] times a vector, bytes read"
        return f"{self.kind.numbers} product, n = {self.shape[0]}, {self.unit}, isa={self.isa}"

    @property
    def unit(self) -> str:
        if self.kind.probe == "gemv":
            return "byte/second"
        return "operation/second" if self.kind.numbers == "int8" else "flop/second"

    @property
    def metric(self) -> str:
        return "quantized.gemv.bandwidth" if self.kind.probe == "gemv" else "gemm.throughput"

    def probes(self) -> dict[str, tuple[str, str, dict[str, str]]]:
        """What assay itself runs, by party: the metric, the probe and its parameters."""
        isa = {} if self.isa == "auto" else {"isa": self.isa}
        if self.kind.probe == "gemv":
            rows, columns = map(str, self.shape)
            return {ASSAY: (self.metric, "quantized.gemv", {"format": self.kind.numbers, "m": rows, "k": columns}),
                    MEMORY: ("memory.bandwidth", "memory.bandwidth", {"kernel": "read", "scaling": "no"})}
        shape = dict(zip("mnk", map(str, self.shape)))
        return {ASSAY: (self.metric, "gemm.throughput", {"precision": self.kind.numbers, **shape, **isa}),
                CEILING: ("gemm.ceiling", "gemm.ceiling", {"precision": self.kind.numbers, **isa})}

    def has_assay_beside(self) -> bool:
        return len(self.probes()) > 1

    def benchmark(self, peer: str) -> str:
        return f"gemm/{self.kind.numbers}/{peer}/n:{self.shape[0]}"

    def peer_benchmarks(self) -> list[str]:
        return [self.benchmark(peer) for peer in self.kind.peers]

    def peer_environment(self, peer: str) -> dict[str, str]:
        limit = ONEDNN_LIMITS.get(self.isa) if peer == ONEDNN else None
        return {} if limit is None else {"DNNL_MAX_CPU_ISA": limit}

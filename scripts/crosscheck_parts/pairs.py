"""Alternating runs of assay and its peers, the ratios between neighbours, and what they are held against."""
import dataclasses
import statistics
from typing import Callable

from .failures import CaseFailed

ASSAY, PEER = "assay", "peer"


@dataclasses.dataclass
class Goal:
    """A bound on assay's figure divided by the peer's."""
    at_least: float | None = None
    at_most: float | None = None

    def met(self, ratio: float) -> bool:
        return ((self.at_least is None or ratio >= self.at_least) and
                (self.at_most is None or ratio <= self.at_most))

    def __str__(self) -> str:
        return f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"


@dataclasses.dataclass
class Quantity:
    """One row: how it is called, in which unit, and the goal, if there is one."""
    name: str
    title: str
    unit: str
    goal: Goal | None = None


@dataclasses.dataclass
class Row:
    quantity: Quantity
    pairs: list[tuple[float, float]]  # (assay, peer) of each round

    @property
    def assay(self) -> float:
        return statistics.median(pair[0] for pair in self.pairs)

    @property
    def peer(self) -> float:
        return statistics.median(pair[1] for pair in self.pairs)

    @property
    def ratios(self) -> list[float]:
        return [pair[0] / pair[1] for pair in self.pairs]

    @property
    def ratio(self) -> float:
        """The median of the ratios of neighbours: what drifts in the machine touches both of a pair alike."""
        return statistics.median(self.ratios)

    @property
    def verdict(self) -> str | None:
        if self.quantity.goal is None:
            return None
        return "ok" if self.quantity.goal.met(self.ratio) else "outside"


def order_of_round(number: int, parties: list[str]) -> list[str]:
    """Who goes first alternates, so that nobody always has what another left behind."""
    first = number % len(parties)
    return parties[first:] + parties[:first]


def alternate(rounds: int, runs: dict[str, Callable[[int], dict]]) -> tuple[list[dict[str, dict]], list[str]]:
    """Calls each once a round with the round's number; the rounds' results by party, and the order as it was."""
    results, order = [], []
    for number in range(rounds):
        result = {}
        for who in order_of_round(number, list(runs)):
            result[who] = runs[who](number)
            order.append(who)
        results.append(result)
    return results, order


def against(peer: str, results: list[dict[str, dict]]) -> list[tuple[dict, dict]]:
    """The pairs (assay, peer) of the rounds."""
    return [(result[ASSAY], result[peer]) for result in results]


def row_of(quantity: Quantity, values: list[tuple[float, float]]) -> Row:
    if any(value <= 0 for pair in values for value in pair):
        raise CaseFailed(f"{quantity.title} came out as nothing: too short a run?")
    return Row(quantity, values)


def rows_of(quantities: list[Quantity], pairs: list[tuple[dict, dict]]) -> list[Row]:
    return [row_of(quantity, [(assay[quantity.name], peer[quantity.name]) for assay, peer in pairs])
            for quantity in quantities]

"""Alternating runs of assay and a peer, the ratios between neighbours, and what they are held against."""
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


def order_of_round(number: int) -> tuple[str, str]:
    """Who goes first alternates, so that neither always has what the other left behind."""
    return (ASSAY, PEER) if number % 2 == 0 else (PEER, ASSAY)


def alternate(rounds: int, runs: dict[str, Callable[[int], dict]]) -> tuple[list[tuple[dict, dict]], list[str]]:
    """Calls both once a round with the round's number; the pairs (assay, peer), and the order as it was."""
    pairs, order = [], []
    for number in range(rounds):
        results = {}
        for who in order_of_round(number):
            results[who] = runs[who](number)
            order.append(who)
        pairs.append((results[ASSAY], results[PEER]))
    return pairs, order


def rows_of(quantities: list[Quantity], pairs: list[tuple[dict, dict]]) -> list[Row]:
    rows = []
    for quantity in quantities:
        values = [(assay[quantity.name], peer[quantity.name]) for assay, peer in pairs]
        if any(value <= 0 for pair in values for value in pair):
            raise CaseFailed(f"{quantity.title} came out as nothing: too short a run?")
        rows.append(Row(quantity, values))
    return rows

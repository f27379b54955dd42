"""What was read back against the answer key: records, states, figures. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from senconet.demonstration.model import Answer, Counts, Figures, State
from senconet.publisher import FINAL, Receipt

MEASURES: Final = tuple(Counts.__dataclass_fields__)

Shown = tuple[str, str]
"""A partner, and a registration that it sees."""


@dataclass(frozen=True, slots=True)
class Checked:
    """How many were compared, and those that differ, each with what was expected and what came."""

    compared: int
    differences: tuple[str, ...]

    @property
    def equal(self) -> int:
        """How many agree."""
        return self.compared - len(self.differences)

    def plus(self, other: Checked) -> Checked:
        """Both together."""
        return Checked(self.compared + other.compared, (*self.differences, *other.differences))


NOTHING: Final = Checked(0, ())


def finals(receipts: Sequence[Receipt]) -> dict[int, list[Receipt]]:
    """The final answers by offset, each id once: a receipt delivered again is the same answer."""
    found: dict[int, dict[str, Receipt]] = {}
    for receipt in receipts:
        if receipt.outcome in FINAL:
            found.setdefault(receipt.offset, {})[receipt.id] = receipt
    return {offset: list(answers.values()) for offset, answers in found.items()}


def check_answers(partner: str, key: Sequence[Answer], receipts: Sequence[Receipt]) -> Checked:
    """Each record of a partner has exactly one final answer, and it is the key's."""
    found = finals(receipts)
    differences = [
        f"{partner} record {offset}: expected {_expected(answer)}, got {_got(found.get(offset, []))}"
        for offset, answer in enumerate(key)
        if not _same(answer, found.get(offset, []))
    ]
    surplus = [f"{partner} record {offset}: answered but not in the key" for offset in found if offset >= len(key)]
    return Checked(len(key) + len(surplus), (*differences, *surplus))


def _same(answer: Answer, got: Sequence[Receipt]) -> bool:
    return [(r.outcome, frozenset(r.codes)) for r in got] == [(answer.outcome, answer.codes)]


def _expected(answer: Answer) -> str:
    return " ".join((answer.outcome, *sorted(answer.codes)))


def _got(receipts: Sequence[Receipt]) -> str:
    return " and ".join(" ".join((r.outcome, *sorted(r.codes))) for r in receipts) or "no answer"


def check_states(key: Mapping[Shown, State], views: Mapping[Shown, Mapping[str, Any]]) -> Checked:
    """Each registration is shown to each partner that has or had it in the key's state, since the key's moment."""
    differences = [
        f"{partner} registration {id_}: expected {state.state} since {_moment(state)}, got {_shown(found)}"
        for (partner, id_), state in key.items()
        if _shown(found := views.get((partner, id_))) != f"{state.state} since {_moment(state)}"
    ]
    surplus = [f"{partner} registration {id_}: shown but not in the key" for partner, id_ in views.keys() - key.keys()]
    return Checked(len(key) + len(surplus), (*differences, *surplus))


def _moment(state: State) -> str:
    return state.since.isoformat().replace("+00:00", "Z")


def _shown(view: Mapping[str, Any] | None) -> str:
    return "nothing" if view is None else f"{view['state']} since {view['since']}"


def check_figures(as_at: date, key: Figures, found: Mapping[str, Any]) -> Checked:
    """Every cell of a day's figures is the key's. Nothing and none are the same: a cell of neither is not there."""
    got = {
        (row["cut"], "total" if row["cut"] == "national" else row["code"], measure): row[measure]
        for row in found["rows"]
        for measure in MEASURES
    }
    got |= {("reason", row["reason_group"], "withdrawn"): row["withdrawn"] for row in found["withdrawal_reasons"]}
    got |= {("allocation", row["allocation"], "registrations"): row["registrations"] for row in found["places"]}
    expected = _cells(key)
    cells = sorted(expected.keys() | got.keys())
    differences = tuple(
        f"{as_at} {' '.join(cell)}: expected {expected.get(cell) or 0}, got {got.get(cell) or 0}"
        for cell in cells
        if (expected.get(cell) or 0) != (got.get(cell) or 0)
    )
    return Checked(len(cells), differences)


def _cells(key: Figures) -> dict[tuple[str, str, str], float | None]:
    """The key's figures by cut, code and measure."""
    return {
        **{
            (cut, code, measure): getattr(counts, measure)
            for cut, cells in key.cuts.items()
            for code, counts in cells.items()
            for measure in MEASURES
        },
        **{("reason", group, "withdrawn"): number for group, number in key.reasons.items()},
        **{("allocation", name, "registrations"): number for name, number in key.allocations.items()},
    }


def outcomes(receipts: Sequence[Receipt]) -> Counter[str]:
    """Final answers by outcome, and what is still held."""
    found = finals(receipts)
    counts = Counter(answers[0].outcome for answers in found.values())
    waiting = {receipt.offset for receipt in receipts if receipt.outcome == "held"}
    counts["held"] = len(waiting - found.keys())
    return counts

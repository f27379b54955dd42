"""What the demonstration prints: progress, figures beside those they are calibrated to, and the answer key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table

from senconet.demo.check import Checked, outcomes
from senconet.demo.run import Outcome
from senconet.demo.traffic import Traffic

SHOWN_DIFFERENCES: Final = 10
JUNE: Final = date(2024, 6, 30)
END: Final = date(2024, 11, 30)
AREAS: Final = (("E09000002", "Barking and Dagenham", 14, 3), ("E09000003", "Barnet", 35, 13))
RATES: Final = (
    ("completed, of registrations", "completed", "completion_rate", "-"),
    ("completed within 4 months", "completed_within_4", "within_4_rate", "-"),
    ("completed within 6 months", "completed_within_6", "within_6_rate", "-"),
    ("mentoring attended, of that due", "mentoring_attended", "mentoring_attendance", "-"),
    ("passed, of those with an outcome", "passed", "pass_rate", "98.7%, as in NPQs of 2021/22"),
    ("withdrawals flagged 14 days before", "withdrawn_flagged", "flagged_rate", "-"),
)
"""Figures of the nation with a rate: what they are called, both measures, and what is published."""

NOTICE: Final = "Synthetic data, calibrated to published figures"


def progress(partners: Sequence[Traffic]) -> RenderableType:
    """One line a partner: sent, answered, and what is still to come."""
    table = Table("partner", "sent", "answered", "lag", title="Answers as they come (Synthetic data)", min_width=60)
    for partner in partners:
        answered = len(partner.answered)
        table.add_row(partner.code, str(partner.sent), str(answered), str(partner.sent - answered))
    return table


def summary(outcome: Outcome) -> RenderableType:
    """Everything, from the national figures to the answer key."""
    return Group(
        _national(outcome.figures),
        "",
        _partners(outcome),
        "",
        *reconciliation(outcome.partners),
        *(_verdict(name, checked) for name, checked in _checks(outcome)),
        f"All of it read back over topics and HTTP in {outcome.seconds:.0f} s.",
    )


def _national(figures: Mapping[date, Mapping[str, Any]]) -> Table:
    table = Table("figure", "here", "calibrated to", title=NOTICE)
    total = _row(figures[END], "national")
    registered, withdrawn = total["registrations"], total["withdrawn"]
    reasons = {row["reason_group"]: row["withdrawn"] for row in figures[END]["withdrawal_reasons"]}
    capacity = reasons.get("capacity_or_time", 0)
    table.add_row("registered", f"{registered:,}", "7,064")
    table.add_row("withdrawn, of registrations", f"{withdrawn:,} ({_share(withdrawn, registered)}%)", "22%")
    table.add_row("for capacity or time", f"{capacity:,} ({_share(capacity, withdrawn)}% of withdrawn)", "a third")
    table.add_row("distinct settings", f"{total['settings']:,}", "-")
    for name, measure, rate, published in RATES:
        table.add_row(name, f"{total[measure]:,} ({_percent(total[rate])})", published)
    for place in figures[END]["places"]:
        if place["registrations"]:
            here = f"{place['registrations']:,} ({_percent(place['take_up'])})"
            table.add_row(f"on places of {place['allocation']}", here, f"{place['places']:,} places")
    for code, name, expected, completed in AREAS:
        cell = _row(figures[JUNE], "local_authority", code)
        here = f"{cell['registrations']} registered, {cell['completed']} completed"
        table.add_row(f"{name}, 30 June 2024", here, f"{expected} registered, {completed} completed")
    first = _row(figures[date(2023, 2, 28)], "national")["completed"]
    table.add_row("completed by 28 February 2023", str(first), "first completions in February 2023")
    return table


def _row(figures: Mapping[str, Any], cut: str, code: str | None = None) -> Mapping[str, Any]:
    rows = (row for row in figures["rows"] if row["cut"] == cut and code in (None, row["code"]))
    return next(rows, dict.fromkeys(figures["measures"], 0))


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{rate}%"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"


def _partners(outcome: Outcome) -> Table:
    table = Table(
        "partner", "records", "accepted", "duplicate", "rejected", "registered", "withdrawn", "completed",
        title=f"By partner, figures as at {END} (Synthetic data)",
    )  # fmt: skip
    for partner in outcome.partners:
        counts = outcomes(partner.receipts)
        figures = _row(outcome.figures[END], "partner", partner.code)
        table.add_row(
            partner.code,
            str(partner.sent),
            *(str(counts[name]) for name in ("accepted", "duplicate", "rejected")),
            *(f"{figures[name]:,}" for name in ("registrations", "withdrawn", "completed")),
        )
    return table


def reconciliation(partners: Sequence[Traffic]) -> list[str]:
    """Sent = accepted + duplicate + rejected; nothing is still held."""
    sent = sum(partner.sent for partner in partners)
    total = sum((outcomes(partner.receipts) for partner in partners), start=outcomes([]))
    accepted, duplicate, rejected = (total[name] for name in ("accepted", "duplicate", "rejected"))
    sign = "=" if sent == accepted + duplicate + rejected else "≠"
    return [
        f"sent {sent:,} {sign} accepted {accepted:,} + duplicate {duplicate:,} + rejected {rejected:,}; "
        f"held {total['held']}"
    ]


def _checks(outcome: Outcome) -> tuple[tuple[str, Checked], ...]:
    return (("answer key", outcome.records), ("states", outcome.states), ("figures", outcome.cells))


def _verdict(name: str, checked: Checked) -> str:
    lines = [f"{name}: {checked.equal:,} of {checked.compared:,}"]
    lines += [f"  {difference}" for difference in checked.differences[:SHOWN_DIFFERENCES]]
    if len(checked.differences) > SHOWN_DIFFERENCES:
        lines.append(f"  and {len(checked.differences) - SHOWN_DIFFERENCES} more")
    return "\n".join(lines)

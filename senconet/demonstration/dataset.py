"""The demonstration's data set: deterministic, calibrated, and with every disorder that the rules know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from random import Random
from typing import TypeVar

from senconet.demonstration.bad import Pools, Table, make_all
from senconet.demonstration.bad_cohort import COHORT
from senconet.demonstration.bad_contract import CONTRACT
from senconet.demonstration.bad_corrections import CORRECTIONS
from senconet.demonstration.bad_fields import FIELDS
from senconet.demonstration.bad_history import HISTORY
from senconet.demonstration.bad_moves import MOVES
from senconet.demonstration.bad_others import OTHERS
from senconet.demonstration.bad_owners import OWNERS
from senconet.demonstration.bad_record import RECORD
from senconet.demonstration.calibration import plan
from senconet.demonstration.disorder import copies
from senconet.demonstration.lives import Life
from senconet.demonstration.model import LEAD, Dataset
from senconet.demonstration.population import write_lives
from senconet.demonstration.publishing import PLAIN, publish
from senconet.demonstration.reference import LEAD_PARTNER, PARTNERS, reference
from senconet.demonstration.settings import settle
from senconet.demonstration.wire import Item, Studio

T = TypeVar("T")

PHASES = (1, 2)
WAITING = frozenset({"held_until_voided", "transfer_answered_late"})  # of RETRIED, those refused at the deadline
TIMES = 4  # of each kind of bad record, at full scale
TABLES: tuple[Table, ...] = (RECORD, CONTRACT, FIELDS, HISTORY, COHORT, CORRECTIONS, OWNERS, OTHERS, MOVES)
BAD: Table = reduce(lambda one, other: one | other, TABLES)
RETRIED: Mapping[str, frozenset[str]] = {
    "while_deferred_retried": frozenset({"while_deferred"}),
    "already_in_state_retried": frozenset({"already_in_state"}),
    "copy_of_set_aside": frozenset({"after_withdrawal"}),
    "would_invalidate_registration_deferred": frozenset({"would_invalidate"}),
    "free_text_repaired": frozenset({"field_unknown"}),
    "resumed_before_deferral": frozenset({"already_in_state"}),
    "held_until_voided": frozenset({"registration_voided"}),
    "transfer_answered_late": frozenset({"transfer_not_offered"}),
    "acceptance_in_conflict": frozenset({"transfer_date_conflict"}),
    "accepted_after_withdrawal": frozenset({"after_withdrawal"}),
}  # refused within a life, most to be accepted later


def expected_codes() -> dict[str, frozenset[str]]:
    """The codes that each kind of refused record must be answered with."""
    return {name: bad.codes for name, bad in BAD.items()} | dict(RETRIED)


def _pools(studio: Studio, lives: Sequence[Life]) -> Pools:
    pools = Pools(studio)
    for life in studio.rng.sample(list(lives), len(lives)):
        pools.lives[life.kind].append(life)
        pools.every.append(life)
    return pools


def _topics(items: Sequence[Item], part: Callable[[Item], T]) -> tuple[Mapping[str, tuple[T, ...]], ...]:
    """Per phase and partner what each item gives, in order of publication."""
    phases = []
    codes = [*(partner.code for partner, _ in PARTNERS), LEAD]
    for phase in PHASES:
        topics: defaultdict[str, list[T]] = defaultdict(list)
        for item in sorted(items, key=lambda found: (found.publish, found.serial)):
            if item.phase == phase:
                topics[item.topic].append(part(item))
        phases.append({code: tuple(topics[code]) for code in codes if code in topics})
    return tuple(phases)


def build(seed: int = 2022, scale: float = 1.0) -> Dataset:
    """The data set; a smaller scale gives fewer registrations, calibrated in proportion (0.04 or more)."""
    studio = Studio(Random(seed))
    people = plan(studio.rng, scale)
    settings = settle(studio.rng, people)
    lives = write_lives(studio, people)
    for life in lives:
        publish(studio, life)
    plain = frozenset(life.subject for life in lives if life.kind in PLAIN)
    copies(studio, plain, tuple(studio.items))
    pools = _pools(studio, lives)
    make_all(BAD, pools, BAD, max(1, round(TIMES * scale)))
    return Dataset(
        reference=reference(settings),
        partners=(*(partner for partner, _ in PARTNERS), LEAD_PARTNER),
        phases=_topics(studio.items, lambda item: item.record),
        kinds=_topics(studio.items, lambda item: item.kind),
    )

"""The population of lives: how many of each kind, and whose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from senconet.demonstration import edges, special
from senconet.demonstration.calibration import Person
from senconet.demonstration.lives import Author, Life, author_of, plain
from senconet.demonstration.reference import LEAVER
from senconet.demonstration.wire import Studio


@dataclass(frozen=True, slots=True)
class Special:
    """A kind of life: its share of registrations, whose it may be, how it is written."""

    share: float
    eligible: Callable[[Person], bool]
    write: Callable[[Author], Life]


def _any(person: Person) -> bool:
    return True


def _completes(person: Person) -> bool:
    return person.completes


def _withdraws(person: Person) -> bool:
    return not person.completes


def _long(person: Person) -> bool:
    return person.completes and (person.ended - person.starts).days >= 130


def _left_late(person: Person) -> bool:
    return not person.completes and (person.ended - person.starts).days >= 100


def _movable(person: Person) -> bool:
    return _long(person) and person.cohort > 0 and person.partner != LEAVER


def _ended_early(person: Person) -> bool:
    return person.completes and person.ended < date(2024, 10, 1)


SPECIALS = (
    Special(0.0012, _movable, special.moved),
    Special(0.025, _long, special.deferral),
    Special(0.003, _left_late, special.deferral),
    Special(0.004, _long, special.returned),
    Special(0.0036, _long, special.withdrawal_voided),
    Special(0.0014, _completes, special.withdrawal_voided_by_lead),
    Special(0.0011, _long, special.deferral_voided),
    Special(0.0006, _long, special.resumption_corrected),
    Special(0.0017, _long, special.completion_corrected),
    Special(0.0006, _left_late, special.completion_voided),
    Special(0.0005, _left_late, special.completion_voided_by_lead),
    Special(0.0006, _ended_early, special.withdrew_after_completion),
    Special(0.0004, _ended_early, special.completion_sent_late),
    Special(0.0008, _long, special.deferral_sent_late),
    Special(0.0008, _long, special.completion_retried),
    Special(0.0006, _long, special.resumption_retried),
    Special(0.012, _any, special.held),
    Special(0.0015, _long, special.held_chain),
    Special(0.0006, _long, special.held_void),
    Special(0.0006, _long, special.held_void_of_completion),
    Special(0.0006, _any, edges.registration_repaired),
    Special(0.0006, _any, edges.reference_free_again),
    Special(0.0004, _withdraws, edges.id_of_other_system),
    Special(0.0003, _completes, edges.id_of_other_owner),
    Special(0.0004, _completes, edges.completed_and_withdrew_same_day),
    Special(0.0004, _long, edges.resumed_same_day),
    Special(0.0004, _any, edges.held_until_voided),
)
DOUBLED, FEWEST_DOUBLED = 0.01, 14


def write_lives(studio: Studio, people: Sequence[Person]) -> list[Life]:
    """A life for every person, special ones first, and the doubles on top."""
    free = {person.number: person for person in studio.rng.sample(list(people), len(people))}
    lives: list[Life] = []
    for kind in SPECIALS:
        chosen = [person for person in free.values() if kind.eligible(person)]
        for person in chosen[: max(1, round(kind.share * len(people)))]:
            lives.append(kind.write(author_of(studio, free.pop(person.number))))
    doubled = max(FEWEST_DOUBLED, round(DOUBLED * len(people)))
    for i, person in enumerate(free.values()):
        author = author_of(studio, person)
        lives.append(plain(author))
        if i < doubled:
            lives.append(edges.doubled(author))
    return lives

"""The population of lives: how many of each kind, and whose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from senconet.demonstration import edges, moves, special
from senconet.demonstration.amend import CHANGES, amend, fits
from senconet.demonstration.calibration import Person
from senconet.demonstration.course import follow
from senconet.demonstration.lives import Author, Life, author_of, plain
from senconet.demonstration.reference import LEAVER
from senconet.demonstration.wire import Studio


@dataclass(frozen=True, slots=True)
class Special:
    """A kind of life: its share of registrations, whose it may be, how it is written."""

    share: float
    eligible: Callable[[Person], bool]
    write: Callable[[Author], Life]
    least: int = 1


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
    Special(0.025, _long, special.deferral, least=14),
    Special(0.003, _left_late, special.deferral),
    Special(0.001, _long, special.deferral_superseded),
    Special(0.004, _long, special.returned),
    Special(0.003, _long, special.withdrawal_voided),
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
    Special(0.0056, _movable, moves.transferred, least=6),
    Special(0.0006, _movable, moves.transferred_while_deferred),
    Special(0.0004, _movable, moves.transferred_after_withdrawal),
    Special(0.0006, _movable, moves.transferred_with_sessions),
    Special(0.0006, _movable, moves.transferred_at_second_offer),
    Special(0.0004, _movable, moves.transferred_after_lapse),
    Special(0.0006, _movable, moves.transfer_declined),
    Special(0.0004, _movable, moves.transfer_cancelled_by_lead),
    Special(0.0004, _movable, moves.transfer_lapsed),
    Special(0.0003, _movable, moves.transfer_in_conflict),
    Special(0.0004, _left_late, moves.withdrawn_before_acceptance),
)
DOUBLED, FEWEST_DOUBLED = 0.01, 18


def write_lives(studio: Studio, people: Sequence[Person]) -> list[Life]:
    """A life for every person, special ones first, and the doubles on top."""
    free = {person.number: person for person in studio.rng.sample(list(people), len(people))}
    lives: list[Life] = []
    for kind in SPECIALS:
        chosen = [person for person in free.values() if kind.eligible(person)]
        for person in chosen[: max(kind.least, round(kind.share * len(people)))]:
            author = author_of(studio, free.pop(person.number))
            lives.append(kind.write(author))
            follow(author, lives[-1])
    return lives + _plain_lives(studio, list(free.values()), len(people))


def _plain_lives(studio: Studio, people: Sequence[Person], total: int) -> list[Life]:
    """Lives without anything special; some are told with faults, some registered twice."""
    changes = [(fact, change) for share, fact, change in CHANGES for _ in range(max(1, round(share * total)))]
    doubled = max(FEWEST_DOUBLED, round(DOUBLED * total))
    lives: list[Life] = []
    for i, person in enumerate(people):
        author = author_of(studio, person)
        life = plain(author)
        lives.append(life)
        follow(author, life)
        if i < doubled:
            lives.append(edges.doubled(author))
            continue
        todo = next((found for found in changes if fits(life, found[0])), None)
        if todo is not None:
            changes.remove(todo)
            amend(author, life, todo[1], todo[0])
    return lives

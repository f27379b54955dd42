"""Traffic: lives of invented trainees, drawn and mixed by a seed, with answers of all kinds and of every service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final
from uuid import UUID

from senconet.demonstration.model import Record, Reference
from tests.system.events import COHORT, Trainee

Life = list[Record]


@dataclass(frozen=True)
class Waves:
    """A partner's traffic. `units` are those of the cohort, each of which a completion may need."""

    partner: str
    random: Random
    units: Sequence[str]

    def next(self, trainees: int) -> list[Record]:
        """The lives of so many new trainees: each in its own order, all mixed."""
        return mixed(self.random, [self.random.choice(LIVES)(self, self._trainee()) for _ in range(trainees)])

    def course(self, trainee: Trainee) -> Life:
        """Registration, a session, and whatever else a completion may need."""
        work = [told(unit) for unit in self.units for told in (trainee.submitted, trainee.passed)]
        return [trainee.registered(), trainee.attended(), *work]

    def _trainee(self) -> Trainee:
        return Trainee(self.partner, self._uuid(), self._uuid())

    def _uuid(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))


def waves(partner: str, seed: str, reference: Reference) -> Waves:
    """A partner's traffic; each seed gives other trainees."""
    cohort = next(each for each in reference.cohorts if each["cohort_code"] == COHORT)
    return Waves(partner, Random(f"{partner} {seed}"), cohort.get("units", ()))


def mixed(random: Random, lives: Sequence[Life]) -> list[Record]:
    """All records of some lives: of each in its order, otherwise in any."""
    turns = [number for number, life in enumerate(lives) for _ in life]
    random.shuffle(turns)
    left = [iter(life) for life in lives]
    return [next(left[number]) for number in turns]


def _finished(waves: Waves, trainee: Trainee) -> Life:
    return [*waves.course(trainee), trainee.completed()]


def _taken_back(waves: Waves, trainee: Trainee) -> Life:
    completed = trainee.completed()
    return [*waves.course(trainee), completed, trainee.voided(completed)]


def _corrected_too_early(waves: Waves, trainee: Trainee) -> Life:
    """The correction waits at its owner for the record that it corrects."""
    completed = trainee.completed()
    return [*waves.course(trainee), trainee.voided(completed), completed]


def _corrected_in_vain(_: Waves, trainee: Trainee) -> Life:
    """What is corrected is never told: each owner waits for it until the hold ends."""
    return [trainee.registered(), trainee.voided(trainee.attended()), trainee.voided(trainee.completed())]


def _interrupted(_: Waves, trainee: Trainee) -> Life:
    """With sessions in the pause and after the end, which are refused."""
    return [
        trainee.registered(), trainee.deferred(), trainee.attended("2024-04-12"), trainee.resumed(),
        trainee.attended("2024-05-14"), trainee.withdrew(), trainee.attended("2024-07-12"),
    ]  # fmt: skip


def _late_registered(_: Waves, trainee: Trainee) -> Life:
    """What comes first waits at the door for the registration."""
    return [trainee.withdrew(), trainee.attended(), trainee.registered()]


def _told_twice(_: Waves, trainee: Trainee) -> Life:
    registered, attended = trainee.registered(), trainee.attended()
    return [registered, attended, registered, trainee.registered(), attended]


def _never_registered(_: Waves, trainee: Trainee) -> Life:
    """It waits until the hold ends."""
    return [trainee.attended()]


LIVES: Final[Sequence[Callable[[Waves, Trainee], Life]]] = (
    *(_finished, _taken_back, _corrected_too_early, _corrected_in_vain, _interrupted),
    *(_late_registered, _told_twice, _never_registered),
)

"""The demonstration's data set, reduced, through the services in memory: every record as the answer key has it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from senconet.demo.check import check_answers, check_states
from senconet.demonstration import dataset, judge, model
from senconet.publisher import Receipt
from shared import clock
from tests.support.memory import NOW, System, reference_of

DATA = dataset.build(scale=0.04)
KEY = judge.judge(DATA.reference, DATA.phases, received=NOW)


def interleaved(phase: model.Phase, random: Random) -> Iterator[tuple[str, model.Record]]:
    """The records of a phase, each topic in its order, the topics in any."""
    turns = [partner for partner, records in phase.items() for _ in records]
    random.shuffle(turns)
    left = {partner: iter(records) for partner, records in phase.items()}
    yield from ((partner, next(left[partner])) for partner in turns)


def test_every_record_and_state_is_as_in_the_key_with_the_topics_interleaved() -> None:
    random, services = Random(0), System(*reference_of(DATA.reference))
    for phase in DATA.phases:
        records = list(interleaved(phase, random))
        while records:
            size = random.randint(1, 300)
            batch, records = records[:size], records[size:]
            services.publish_batch([(partner, record, NOW) for partner, record in batch])
            services.deliver(random.choice((0, 10, None)))
    services.settle()
    for partner, answers in KEY.answers.items():
        assert check_answers(partner, answers, receipts(services, partner)).differences == ()
    views = {id_: {"state": s.state, "since": clock.render(s.since)} for id_, s in services.states().items()}
    assert check_states(KEY.states, views).differences == ()


def receipts(services: System, partner: str) -> list[Receipt]:
    """What a partner reads back."""
    return [
        Receipt(f"{place}", place.offset, body["outcome"], body)
        for place, bodies in services.answers().items()
        for body in bodies
        if place.topic == f"partners.{partner}.events"
    ]

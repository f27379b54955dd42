"""The services as a machine: partners send, the door reads, owners lag, relays send twice, in any order of steps."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from senconet.demonstration.wire import wire
from services.enrolment.judge import OWNERS
from shared.contract import Position
from tests.support import agreement, quiet
from tests.support.agreement import MILLISECOND
from tests.support.contents import Choose
from tests.support.histories import Author
from tests.support.memory import NOW

LAG = st.sampled_from((0, 1, 2, 5, None))


class Interleaved(RuleBasedStateMachine):
    """Whatever happens in between, in the end every answer and state is the key's."""

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.services = agreement.system()
        self.places: list[Position] = []
        self.author = Author(self._drawn(data))
        self.author.begin()
        self._send()

    @staticmethod
    def _drawn(data: st.DataObject) -> Choose:
        return lambda options: data.draw(st.sampled_from(list(options)))

    def _send(self) -> None:
        for event in self.author.sent[len(self.places) :]:
            received = NOW + len(self.places) * MILLISECOND
            self.places.append(self.services.append(event.topic, wire(event), received))

    @rule(data=st.data())
    def a_partner_sends(self, data: st.DataObject) -> None:
        self.author.choose = self._drawn(data)
        self.author.go_on()
        self._send()

    @rule(count=LAG)
    def the_door_reads(self, count: int | None) -> None:
        self.services.read(count)

    @rule(count=LAG, owner=st.sampled_from(OWNERS), twice=st.booleans())
    def an_owner_reads(self, count: int | None, owner: str, twice: bool) -> None:
        self.services.deliver(count, owners=(owner,), twice=twice)

    @rule()
    def what_waits_is_looked_at(self) -> None:
        self.services.sweep(self.services.read_until)

    @invariant()
    def nobody_is_answered_twice_and_every_change_of_mind_is_told(self) -> None:
        answers: dict[Position, list[Any]] = self.services.answers()
        assert {len(found) for found in answers.values()} <= {1}
        for owner in self.services.owners.values():
            quiet.assert_told(owner)

    def teardown(self) -> None:
        if not hasattr(self, "services"):
            return
        self.services.settle()
        assert agreement.finals(self.services, self.places) == agreement.expected(self.author.sent)


Interleaved.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHoweverStepsInterleave = Interleaved.TestCase

"""What must hold of the services at rest: one status everywhere, one final answer, a notice for each change of mind."""

from __future__ import annotations

import json
from collections.abc import Iterator

from shared import topics
from shared.history import Fact, Ledger, Name
from shared.owning import RESTORED, SET_ASIDE
from shared.standing import Standing
from tests.support.memory import Deciding, System

Notice = tuple[str, str, Name]
"""What it says, to whom, and of which fact."""


def assert_quiet(services: System) -> None:
    """Nothing waits; each owner has enrolment's status, and has told of all that it set aside and restored."""
    for service in services.services:
        assert not any(service.world.holds.values())
        assert not service.world.queues
    for registration, ledger in services.enrolment.world.ledgers.items():
        for owner in services.owners.values():
            assert owner.world.ledgers[registration].status == ledger.status
    for owner in services.owners.values():
        assert_told(owner)


def assert_told(owner: Deciding) -> None:
    """Each fact was told of by turns, to its sender alone, and as it is now."""
    told: dict[Name, list[str]] = {}
    for name, partner, fact in notices_of(owner):
        assert partner == fact[0].split("/")[2]
        told.setdefault(fact, []).append(name)
    for names in told.values():
        assert names == [SET_ASIDE, RESTORED] * (len(names) // 2) + [SET_ASIDE] * (len(names) % 2)
    for ledger in owner.world.ledgers.values():
        aside = standing(owner, ledger).aside
        for fact in ledger.history.facts:
            assert (len(told.get(fact.name, ())) % 2 == 1) == (fact.name in aside), fact.name


def notices(services: System) -> Iterator[Notice]:
    """All notices of facts set aside and restored."""
    for owner in services.owners.values():
        yield from notices_of(owner)


def notices_of(owner: Deciding) -> Iterator[Notice]:
    """The notices of facts that one service has set aside and restored, in the order of publishing."""
    for message in owner.published:
        name = dict(message.headers).get("ce_type", "")
        if ".notice." in name:
            body = json.loads(message.value or b"{}")
            yield name.split(".")[3], topics.partner_of(message.topic), (body["source"], body["event_id"])


def standing(owner: Deciding, ledger: Ledger) -> Standing[object]:
    """What an owner says stands."""
    found: Standing[object] = owner.judge._standing(ledger)
    return found


def facts_that_stand(services: System) -> list[tuple[str, Fact]]:
    """All that stands in any service, each fact with its registration, in the order of facts."""
    found: list[tuple[str, Fact]] = []
    for registration, ledger in services.enrolment.world.ledgers.items():
        if ledger.status is not None and not ledger.status.voided:
            found += [(registration, fact) for fact in ledger.history.facts]
    for owner in services.owners.values():
        for registration, ledger in owner.world.ledgers.items():
            found += [(registration, fact) for fact in standing(owner, ledger).facts]
    return sorted(found, key=lambda each: each[1].place)

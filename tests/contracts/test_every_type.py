"""What a new type of event must not leave out: each test says which file to edit (docs/adding-an-event.md)."""

from __future__ import annotations

from collections import Counter

import pytest

from senconet.contract_files import EXAMPLES, path_of
from senconet.demonstration import judge_fields, judge_history, judge_owners
from senconet.demonstration.model import Record
from senconet.demonstration.wire import type_of
from senconet.publisher import from_structured
from shared.events.catalogue import BY_NAME, BY_WIRE, REGISTERED, EventType
from shared.status import REFUSED_IN
from tests.architecture.source import ROOT
from tests.support import agreement, histories

FACTS = [kind for kind in BY_NAME.values() if kind.corrects is None]
HANDED_ON = [kind.name for kind in FACTS if kind.owner != "enrolment"]
ADMITTED_IN_EVERY_STATE = {"assessment.decided"}
"""Types of the owners that no state of a registration refuses, but for one that is voided (reference: events 5)."""


def example(name: str) -> tuple[str, Record]:
    """The example of a type, as its sender publishes it."""
    assert path_of(name, EXAMPLES).is_file(), f"write an example: {path_of(name, EXAMPLES).relative_to(ROOT)}"
    sent = from_structured(path_of(name, EXAMPLES).read_text("utf-8"), 1)
    sender = dict(sent.headers)["ce_source"].decode().split("/")[2]
    return sender, Record(sent.key, sent.value, sent.headers)


@pytest.mark.parametrize("kind", BY_NAME.values(), ids=list(BY_NAME))
def test_the_example_of_a_type_is_answered_by_its_owner(kind: EventType) -> None:
    services = agreement.system()
    before = [REGISTERED.name, *([kind.corrects] if kind.corrects else [])]
    for name in dict.fromkeys((*before, kind.name)):
        place = services.publish(*example(name))
    services.settle()
    answering = {"enrolment": services.enrolment, **services.owners}
    assert not answering[kind.owner].queued, f"services/{kind.owner}/domain.py fails over a {kind.name}"
    assert len(services.answers()[place]) == 1


def test_each_type_has_a_place_of_its_own_among_facts_of_one_moment() -> None:
    places = Counter(kind.order for kind in FACTS)
    assert max(places.values()) == 1, f"give each type an `order` of its own in shared/events/catalogue.py: {places}"


def test_it_is_said_of_each_type_which_states_refuse_it() -> None:
    said = REFUSED_IN.keys() | ADMITTED_IN_EVERY_STATE
    assert said == set(HANDED_ON), f"say it in REFUSED_IN of shared/status.py, or here: {said ^ set(HANDED_ON)}"


def test_the_answer_key_knows_every_type_its_owner_and_when_two_facts_say_the_same() -> None:
    known = {judge_fields.wire_type(name): name for name in judge_fields.DATA}
    missing = BY_WIRE.keys() ^ known.keys()
    assert not missing, f"senconet/demonstration/judge_fields.py: name in FACTS, with the fields of its data: {missing}"
    owners = {wire: judge_fields.owner_of(name) for wire, name in known.items()}
    wrong = {wire for wire, kind in BY_WIRE.items() if owners[wire] != kind.owner}
    assert not wrong, f"senconet/demonstration/judge_fields.py: say in OWNERS who answers {wrong}"
    order = [judge_fields.wire_type(name) for name in judge_history.ORDER]
    right = [kind.wire for kind in sorted(FACTS, key=lambda kind: kind.order)]
    assert order == right, "senconet/demonstration/judge_history.py: ORDER is not that of shared/events/catalogue.py"
    refused = {name: judge_history.REFUSED.get(name.removeprefix("trainee."), {}) for name in HANDED_ON}
    wrong = {name for name in HANDED_ON if refused[name] != REFUSED_IN.get(name, {})}
    assert not wrong, f"senconet/demonstration/judge_history.py: say in REFUSED which states refuse {wrong}"
    same = {judge_fields.wire_type(name) for name in judge_owners.SAME}
    wrong = same ^ {kind.wire for kind in FACTS if kind.once_by is not None}
    assert not wrong, f"senconet/demonstration/judge_owners.py: say in SAME when two say the same: {wrong}"


def test_random_histories_tell_every_type() -> None:
    told = {type_of(event.fact) for seed in range(200) for event in histories.random_history(seed)}
    missing = {kind.wire for kind in FACTS} - told
    assert not missing, f"name in tests/support/histories.py, with its data in contents.py: {missing}"

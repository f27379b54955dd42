"""What is published of an answer: ids that stay the same, and no value of anybody's data."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from shared.contract import Position
from shared.events.codes import CODES, Problem
from shared.messages import Answer, Message, receipt, receipt_id
from tests.support import agreement
from tests.support.bytes_table import rows
from tests.support.histories import OURS, random_history, records_of
from tests.support.memory import NOW

PLACE = Position("partners.quillmarsh.events", 0, 7)
SECRETS = (
    "4444444",
    "Q-1",
    "Jo Example",
    "jo@example.org",
    "4711",
    "health_or_pregnancy",
    "bereavement",
    "Caf",
    "mornings",
)


def answer(outcome: str = "rejected", **more: Any) -> Answer:
    return Answer(PLACE, OURS, NOW, outcome, "synthetic-2026.1", **more)


def body(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message.value or b"")
    return found


def test_the_id_of_a_receipt_follows_from_position_and_outcome_alone() -> None:
    assert receipt_id(PLACE, "rejected") == "23398499-b22e-59d9-bff5-f9a836e59afa", (
        "a receipt sent again must be known again"
    )
    ids = {
        receipt_id(Position(topic, partition, offset), outcome)
        for topic in ("partners.a.events", "partners.b.events")
        for partition in (0, 1)
        for offset in (0, 1, 10)
        for outcome in ("held", "accepted")
    }
    assert len(ids) == 24


def test_a_receipt_made_again_later_has_the_same_id() -> None:
    first, again = (receipt("enrolment", answer(), NOW + timedelta(hours=hours)) for hours in (0, 1))
    assert dict(first.headers)["ce_id"] == dict(again.headers)["ce_id"] == receipt_id(PLACE, "rejected")


def test_a_receipt_goes_to_the_sender_under_the_subject() -> None:
    sent = receipt("enrolment", answer(subject="s", id="e", source="/partners/quillmarsh/mis"), NOW)
    assert (sent.topic, sent.key) == ("partners.quillmarsh.receipts", "s")
    headers = dict(sent.headers)
    assert headers["ce_type"] == "uk.eysenco.submission.rejected.v1"
    assert headers["ce_source"] == "/senconet/enrolment"
    assert headers["content-type"] == "application/json"


def test_a_record_that_names_no_subject_is_answered_without_key() -> None:
    sent = receipt("enrolment", answer(), NOW)
    assert sent.key is None
    assert "ce_subject" not in dict(sent.headers)


def test_an_answer_may_be_cured_only_if_every_error_may() -> None:
    def retryable(*codes: str) -> bool:
        return bool(body(receipt("enrolment", answer(problems=tuple(map(Problem, codes))), NOW))["retryable"])

    assert retryable("while_deferred")
    assert not retryable("while_deferred", "schema_invalid")
    assert not retryable()


def test_every_code_has_a_sentence_whatever_is_known() -> None:
    assert all(Problem(code).message.endswith(".") and "{" not in Problem(code).message for code in CODES)


def test_a_duplicate_names_what_the_first_was_answered() -> None:
    assert body(receipt("enrolment", answer("duplicate", first="held"), NOW))["first"] == {"outcome": "held"}


def test_no_receipt_echoes_a_value_of_the_data() -> None:
    """Every answer to the table of bytes and to random histories, whose values are known."""
    services = agreement.system()
    sent = [(OURS, row.record) for row in rows(OURS)]
    sent += [record for seed in range(40) for record in records_of(random_history(seed))]
    for partner, record in sent:
        services.publish(partner, record)
    services.settle()
    answers = [json.dumps(body) for found in services.answers().values() for body in found]
    assert len(answers) == len(sent)
    lists = [text for text in answers if "code_not_in_list" in text]
    assert lists
    others = [text for text in answers if text not in lists]
    assert [(secret, text) for secret in SECRETS for text in others if secret in text] == []

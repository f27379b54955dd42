"""The receipts that the services make are the ones that the contract describes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from senconet import contract_files
from shared.contract import Position
from shared.events.codes import CODES
from shared.events.receipts import Receipt
from shared.messages import Answer, receipt
from tests.support import agreement
from tests.support.bytes_table import rows
from tests.support.histories import OURS, random_history, records_of
from tests.support.memory import NOW

CHECK = Draft202012Validator(contract_files.schemas()["receipt"])


def bodies() -> list[Mapping[str, Any]]:
    """Receipts of random histories, and of the table of bytes."""
    services = agreement.system()
    sent = [record for seed in range(30) for record in records_of(random_history(seed))]
    sent += [(OURS, row.record) for row in rows(OURS)]
    Random(0).shuffle(sent)
    for number, (partner, record) in enumerate(sent):
        services.publish(partner, record, NOW + number * timedelta(milliseconds=1))
    services.settle()
    return [body for answers in services.answers().values() for body in answers]


def test_every_receipt_is_as_described() -> None:
    found = bodies()
    assert {body["outcome"] for body in found} == {"accepted", "duplicate", "rejected"}
    for body in found:
        CHECK.validate(body)
        assert Receipt.model_validate(body).model_dump(mode="json", exclude_unset=True) == body


def test_a_receipt_names_what_one_stage_found() -> None:
    for body in bodies():
        codes = {error["code"] for error in body["errors"]}
        stages = [set(CODES[code].stages) for code in codes]
        assert not stages or set.intersection(*stages), f"{codes}: look at `stages` in shared/events/codes.py"


def test_a_receipt_of_what_waits_names_its_deadline() -> None:
    position = Position("partners.quillmarsh.events", 0, 0)
    answer = Answer(position, OURS, NOW, "held", "synthetic-2026.1")
    body = json.loads(receipt("enrolment", answer, NOW, NOW + timedelta(hours=72)).value or b"")
    CHECK.validate(body)
    assert Receipt.model_validate(body).deadline == body["deadline"] == "2026-11-04T12:00:00Z"


@pytest.mark.parametrize("change", [{"outcome": "lost"}, {"retryable": None}, {"position": {}}])
def test_what_is_no_receipt_is_refused(change: dict[str, Any]) -> None:
    body = {**bodies()[0], **change}
    assert [*CHECK.iter_errors(body)]
    with pytest.raises(ValidationError):
        Receipt.model_validate(body)

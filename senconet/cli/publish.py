"""`publish`, `receipts`: a partner's side."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from senconet import publisher
from senconet.access import KafkaAccess
from senconet.cli.common import as_partner, console, fail, run, told
from senconet.publisher import FINAL, Receipt
from shared import topics

PartnerOption = Annotated[str, typer.Option("--partner", help="The partner whose credential is used.")]


@told
def publish(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="One CloudEvent in structured JSON a line.")
    ],
    partner: PartnerOption,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the answers; 0 sends only.")] = 60,
) -> None:
    """Publish a file of events as a partner, and show the answer to each. Exit code 1 if one is missing."""
    lines = [line for line in file.read_text("utf-8").splitlines() if line.strip()]
    outgoing = [publisher.from_structured(line, number) for number, line in enumerate(lines, 1)]
    answers, offsets = run(_publish(as_partner(partner), partner, outgoing, wait))
    console.print(f"{len(offsets)} records sent to {topics.events(partner)}")
    if wait:
        console.print(_table([answers[offset] for offset in offsets if offset in answers], offsets))
        missing = [offset for offset in offsets if offset not in answers or answers[offset].outcome not in FINAL]
        if missing:
            fail(f"{len(missing)} without a final answer after {wait:g} s; `senconet receipts` shows it when it comes.")


async def _publish(
    access: KafkaAccess, partner: str, outgoing: list[publisher.Outgoing], wait: float
) -> tuple[dict[int, Receipt], list[int]]:
    async with publisher.publishing(access) as producer:
        offsets = await publisher.send(producer, partner, outgoing)
    answers: dict[int, Receipt] = {}
    end = time.monotonic() + wait
    async with publisher.receipts_of(access, partner) as consumer:
        while time.monotonic() < end and not _all_final(answers, offsets):
            for receipt in await publisher.next_receipts(consumer):
                answers[receipt.offset] = receipt
    return answers, offsets


def _all_final(answers: dict[int, Receipt], offsets: list[int]) -> bool:
    return all(offset in answers and answers[offset].outcome in FINAL for offset in offsets)


def _table(found: list[Receipt], offsets: list[int] | None = None) -> Table:
    table = Table("record", "event", "answer", "codes", "message")
    for receipt in found:
        number = str(offsets.index(receipt.offset) + 1) if offsets else str(receipt.offset)
        messages = " ".join(error["message"] for error in receipt.body["errors"])
        told = " ".join(filter(None, (messages, *receipt.body["warnings"])))
        table.add_row(number, str(receipt.body.get("event_id", "-")), receipt.outcome, " ".join(receipt.codes), told)
    return table


@told
def receipts(
    partner: PartnerOption,
    last: Annotated[int, typer.Option(min=1, help="How many of the newest to show.")] = 20,
) -> None:
    """Show a partner's newest answers, by the offset of the record on its topic."""
    console.print(_table(run(_receipts(as_partner(partner), partner))[-last:]))


async def _receipts(access: KafkaAccess, partner: str) -> list[Receipt]:
    found: list[Receipt] = []
    async with publisher.receipts_of(access, partner) as consumer:
        while some := await publisher.next_receipts(consumer, wait_ms=1000):
            found += some
    return found

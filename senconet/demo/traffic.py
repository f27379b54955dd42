"""The partners' side of the demonstration: every record by its partner's own credential, every answer read back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import httpx
from aiokafka import TopicPartition

from senconet import publisher
from senconet.access import KafkaAccess
from senconet.demo.check import finals
from senconet.demonstration.model import Answer, Phase
from senconet.publisher import Outgoing, Receipt
from shared import topics
from shared.kafka import read_to, reading
from shared.messages import decode

CHUNK: Final = 200
LOOK_SECONDS: Final = 0.5


class NotAnswered(RuntimeError):
    """Records are without a final answer, and for longer than any hold lasts none has come."""


@dataclass
class Traffic:
    """One partner's records and answers so far."""

    code: str
    access: KafkaAccess
    expected: Sequence[Answer]
    sent: int = 0
    receipts: list[Receipt] = field(default_factory=list)
    answered: set[int] = field(default_factory=set)

    def still_open(self, *, waiting_too: bool) -> int:
        """How many sent records lack a final answer; those that wait by the key count only if asked for."""
        unanswered = self.sent - len(self.answered)
        return unanswered if waiting_too else unanswered - sum(1 for offset in self.waiting if self._is_open(offset))

    def _is_open(self, offset: int) -> bool:
        return offset < self.sent and offset not in self.answered

    @cached_property
    def waiting(self) -> tuple[int, ...]:
        """The records that wait by the key."""
        return tuple(offset for offset, answer in enumerate(self.expected) if answer.waits)

    async def send(self, phase: Phase) -> None:
        """Publish this partner's part of a phase, in order."""
        records = [Outgoing(r.key, r.value, r.headers) for r in phase.get(self.code, ())]
        async with publisher.publishing(self.access) as producer:
            for start in range(0, len(records), CHUNK):
                await publisher.send(producer, self.code, records[start : start + CHUNK])
                self.sent += len(records[start : start + CHUNK])

    async def listen(self) -> None:
        """Read answers until cancelled."""
        async with publisher.receipts_of(self.access, self.code) as consumer:
            while True:
                fresh = await publisher.next_receipts(consumer)
                self.receipts += fresh
                self.answered.update(finals(fresh))


async def exchange(
    partners: Sequence[Traffic], phases: Sequence[Phase], patience: float, show: Callable[[], None]
) -> None:
    """Publish all phases and read all answers. Raises NotAnswered after `patience` seconds without any."""
    listening = [asyncio.create_task(partner.listen()) for partner in partners]
    try:
        for number, phase in enumerate(phases, 1):
            sending = asyncio.gather(*(partner.send(phase) for partner in partners))
            last = number == len(phases)
            await _until(partners, sending, patience, show, waiting_too=last)
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


async def _until(
    partners: Sequence[Traffic],
    sending: asyncio.Future[Any],
    patience: float,
    show: Callable[[], None],
    *,
    waiting_too: bool,
) -> None:
    answered, since = 0, time.monotonic()
    while not sending.done() or any(partner.still_open(waiting_too=waiting_too) for partner in partners):
        if (now := sum(len(partner.answered) for partner in partners)) > answered:
            answered, since = now, time.monotonic()
        if time.monotonic() > since + patience:
            left = sum(partner.still_open(waiting_too=waiting_too) for partner in partners)
            raise NotAnswered(f"{left} records have no final answer, and none came for {patience:g} s")
        show()
        await asyncio.sleep(LOOK_SECONDS)
    await sending
    show()


async def view_by_topic(access: KafkaAccess, code: str) -> dict[str, dict[str, Any]]:
    """A partner's own view as its compacted topic holds it: the newest value of each registration."""
    place = TopicPartition(topics.view(code), 0)
    view: dict[str, dict[str, Any]] = {}
    async with reading(access.client_options()) as consumer:
        async for batch in read_to(consumer, await consumer.end_offsets([place])):
            for record in batch:
                if record.key and record.value:
                    view[record.key.decode()] = decode(record.value)
    return view


async def view_by_http(url: str, token: str) -> dict[str, dict[str, Any]]:
    """A partner's own view as the server shows it, page by page."""
    view: dict[str, dict[str, Any]] = {}
    async with httpx.AsyncClient(
        trust_env=False, verify=False, timeout=30, headers={"Authorization": f"Bearer {token}"}
    ) as client:
        after: str | None = None
        while True:
            parameters: Mapping[str, str] = {"limit": "500"} | ({"after": after} if after else {})
            answer = (await client.get(f"{url}/v1/trainees", params=parameters)).raise_for_status()
            page = answer.json()
            view |= {row["registration_id"]: row for row in page["trainees"]}
            after = page["next"]
            if after is None:
                return view

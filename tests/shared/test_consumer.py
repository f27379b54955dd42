"""What a reader takes as a batch, and does with one that fails."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import TopicAuthorizationFailedError
from sqlalchemy.ext.asyncio import AsyncEngine

from senconet.local.engines import Engines
from shared import consumer
from shared.consumer import Reader
from shared.judging import SystemicFault
from shared.kafka import FETCH_AFTER_SECONDS, fetch_all_at_once, reading
from shared.metrics import Metrics
from shared.pipeline import Done
from shared.positions import Partition
from shared.records import RawRecord

PLACE = TopicPartition("partners.ash.events", 0)
MOST = 20
BATCH = [RawRecord(*PLACE, n, datetime(2026, 1, 1, tzinfo=UTC), b"k", b"{}", ()) for n in range(8)]
CANARY = "canary Jane Doe"
NO_ENGINE = cast(AsyncEngine, None)


class Slow:
    """Takes at most so many records in the time that a transaction has."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken: list[int] = []

    async def process(self, batch: Sequence[RawRecord]) -> Done:
        """Fail for more than it can take."""
        if len(batch) > self.most:
            raise TimeoutError
        self.taken.append(len(batch))
        return Done()


def reader(process: Slow, stopped: list[bool] | None = None) -> Reader:
    """A reader that is ready."""
    stops: list[bool] = [] if stopped is None else stopped
    made = Reader(NO_ENGINE, Metrics(), process.process, lambda: stops.append(True), MOST)
    made.ready.set()
    return made


class Fetched:
    """A client: what it hands out each time that it is asked, and where it is sent."""

    def __init__(self, *handed_out: Sequence[int], ours: bool = True) -> None:
        self.handed_out = [list(offsets) for offsets in handed_out]
        self.asked: list[tuple[int, int]] = []
        self.sent: list[int] = []
        self._fetcher = SimpleNamespace(_records=OrderedDict())
        self.ours = {PLACE} if ours else set()

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[Any, Any]:
        """What was fetched next."""
        self.asked.append((timeout_ms, max_records))
        offsets = self.handed_out.pop(0) if self.handed_out else []
        return {PLACE: [SimpleNamespace(**told(offset)) for offset in offsets]} if offsets else {}

    def assignment(self) -> set[TopicPartition]:
        """The partitions that it reads."""
        return self.ours

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Go on from there."""
        self.sent.append(offset)


class Noting(Slow):
    """Notes the offsets of each batch."""

    def __init__(self, most: int = 100) -> None:
        super().__init__(most)
        self.offsets: list[list[int]] = []

    async def process(self, batch: Sequence[RawRecord]) -> Done:
        """Take a batch."""
        done = await super().process(batch)
        self.offsets.append([record.offset for record in batch])
        return done


def told(offset: int) -> dict[str, Any]:
    """A record of the batch's partition as the client hands it out."""
    value = {"timestamp": 0, "key": b"k", "value": b"{}", "headers": ()}
    return {"topic": PLACE.topic, "partition": PLACE.partition, "offset": offset, **value}


def fed(reading: Reader, client: Fetched) -> Reader:
    """The reader, with a client."""
    reading.consumer = lambda: cast(AIOKafkaConsumer, client)
    return reading


async def take(reading: Reader) -> None:
    """Hand out the batch: its first record, and then the others."""
    await fed(reading, Fetched(range(1, len(BATCH)))).handle(BATCH[0])


async def test_a_batch_that_takes_too_long_is_taken_in_ever_smaller_parts() -> None:
    slow = Slow(most=2)
    reading = reader(slow)
    for _ in range(2):
        await take(reading)
    await take(reading)
    assert slow.taken == [2, 2, 2, 2]


async def test_after_a_success_the_next_batch_is_taken_whole() -> None:
    slow = Slow(most=4)
    reading = reader(slow)
    await take(reading)
    await take(reading)
    slow.most = 8
    await take(reading)
    assert slow.taken == [4, 4, 8]


async def test_the_age_of_the_first_record_in_hand_shows_while_a_batch_fails() -> None:
    reading = reader(Slow(most=2))
    await take(reading)
    reading.show_unread()
    shown = reading.metrics.registry.get_sample_value("senconet_behind_seconds", {"topic": "partners.ash.events"})
    assert shown is not None
    assert shown > 0


async def test_a_fault_of_most_of_a_batch_stops_the_service() -> None:
    class Broken(Slow):
        async def process(self, batch: Sequence[RawRecord]) -> Done:
            raise SystemicFault("5 of 8 records failed")

    stopped: list[bool] = []
    await take(reader(Broken(most=0), stopped))
    assert stopped == [True]


async def test_a_record_is_answered_with_all_that_has_been_fetched_and_waits_for_nothing() -> None:
    noting, client = Noting(), Fetched([1, 2])
    await fed(reader(noting), client).handle(BATCH[0])
    assert noting.offsets == [[0, 1, 2]]
    assert client.asked == [(0, MOST - 1)]


async def test_a_record_that_waited_for_a_batch_is_joined_by_what_has_come_since() -> None:
    noting, client = Noting(), Fetched([], [4], [5, 6])
    reading = fed(reader(noting), client)
    await reading.handle(BATCH[0])
    await reading.handle(BATCH[3])
    assert noting.offsets == [[0], [3, 4, 5, 6]]
    assert [wait_ms for wait_ms, _ in client.asked] == [0, 0, consumer.FRESH_MS]


async def test_what_a_rebalance_hands_out_once_more_is_not_taken_twice() -> None:
    noting = Noting()
    await fed(reader(noting), Fetched([1, 2, 3, 4])).handle(BATCH[2])
    assert noting.offsets == [[2, 3, 4]]


async def test_a_full_batch_is_joined_by_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "BEHIND_SECONDS", float("inf"))
    noting, client = Noting(), Fetched(range(1, MOST), [MOST])
    await fed(reader(noting), client).handle(BATCH[0])
    assert (len(noting.offsets[0]), client.asked) == (MOST, [(0, MOST - 1)])


async def test_more_of_a_partition_waits_until_others_have_had_their_turn() -> None:
    client = Fetched([1])
    fetched = client._fetcher._records
    fetched.update(dict.fromkeys([PLACE, TopicPartition("partners.burr.events", 0)], "more"))
    await fed(reader(Noting()), client).handle(BATCH[0])
    assert list(fetched)[-1] == PLACE


async def test_a_large_batch_waits_for_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "BEHIND_SECONDS", float("inf"))
    monkeypatch.setattr(consumer, "FEW", len(BATCH))
    noting, client = Noting(), Fetched(range(1, len(BATCH)), [len(BATCH)])
    await fed(reader(noting), client).handle(BATCH[0])
    assert (noting.taken, client.asked) == ([len(BATCH)], [(0, MOST - 1)])


async def test_who_is_in_no_hurry_begins_a_batch_at_its_pace_with_all_that_has_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(consumer.asyncio, "sleep", wait)
    noting = Noting()
    reading = fed(reader(noting), Fetched([], [2], [3]))
    reading.pace_seconds = 60
    await reading.handle(BATCH[0])
    await reading.handle(BATCH[1])
    assert waited[0] == 0
    assert 50 < waited[1] <= 60
    assert noting.offsets == [[0], [1, 2, 3]]


async def test_of_a_batch_that_fails_the_log_says_where_and_shows_no_value(caplog: pytest.LogCaptureFixture) -> None:
    class Refusing(Slow):
        async def process(self, batch: Sequence[RawRecord]) -> Done:
            raise ValueError(CANARY)

    await take(reader(Refusing(most=0)))
    (line,) = caplog.messages
    assert "ValueError" in line
    assert "in process" in line
    assert CANARY not in caplog.text


async def test_a_batch_that_fails_is_read_again_from_where_it_begins() -> None:
    client = Fetched([3, 4])
    await fed(reader(Slow(most=2)), client).handle(BATCH[2])
    assert client.sent == [2]


async def test_a_partition_that_was_lost_meanwhile_is_left_to_who_has_it_now() -> None:
    client = Fetched([3, 4], ours=False)
    await fed(reader(Slow(most=2)), client).handle(BATCH[2])
    assert client.sent == []


async def test_a_record_is_read_again_too_when_the_client_fails_to_fetch_more() -> None:
    class Failing(Fetched):
        async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[Any, Any]:
            raise TopicAuthorizationFailedError

    client, reading = Failing(), reader(noting := Noting())
    await fed(reading, client).handle(BATCH[2])
    assert (client.sent, noting.offsets) == ([2], [])
    failures = reading.metrics.registry.get_sample_value(
        "senconet_batch_failures_total", {"error": "TopicAuthorizationFailedError"}
    )
    assert failures == 1


class Growing(Reader):
    """A reader that answers what is in hand just when it looks how far it has come: the log has grown by as much."""

    end = 5
    stays_paused = False

    async def _stored(self, beginnings: dict[Partition, int]) -> dict[Partition, tuple[int, bool]]:
        self.end += 2
        return dict.fromkeys(beginnings, (self.end, self.stays_paused))

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """As the client tells them; so are the ends."""
        return dict.fromkeys(places, 0)

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """The log's end as of now."""
        return dict.fromkeys(places, self.end)

    def resume(self, place: TopicPartition) -> None:
        """What the client is told to do; nothing else is done to it here."""

    def pause(self, place: TopicPartition) -> None:
        """Note which topic is not read on."""
        self.unread[f"{place.topic} paused"] = BATCH[0].received

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Note where the reader goes."""
        self.unread[f"{place.topic}/{offset}"] = BATCH[0].received


async def test_what_is_answered_while_a_reader_takes_its_place_is_not_taken_for_lost(engine: AsyncEngine) -> None:
    growing = Growing(engine, Metrics(), Slow(1).process, lambda: None, MOST)
    await growing._place(cast(AIOKafkaConsumer, growing), [PLACE])
    assert list(growing.unread) == [f"{PLACE.topic}/7"]


async def test_what_was_paused_stays_so_though_the_log_has_come_to_hold_its_position(engine: AsyncEngine) -> None:
    growing = Growing(engine, Metrics(), Slow(1).process, lambda: None, MOST)
    growing.stays_paused = True
    await growing._place(cast(AIOKafkaConsumer, growing), [PLACE])
    assert list(growing.unread) == [f"{PLACE.topic} paused"]


async def test_a_client_is_made_to_ask_for_all_its_partitions_together(engines: Engines) -> None:
    async with reading(engines.kafka.client_options()) as client:
        assert client._fetcher._prefetch_backoff < FETCH_AFTER_SECONDS, "it would do so by itself"
        fetch_all_at_once(client)
        assert client._fetcher._prefetch_backoff == FETCH_AFTER_SECONDS

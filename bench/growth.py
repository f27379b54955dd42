"""How intake changes with the number of partners and of instances, and with what enrolment's journal already holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import psycopg

from bench import throughput
from bench.series import PARTNER, series, shared_out, with_partners
from bench.stage import Stage
from senconet.demonstration.model import Dataset
from shared.events.catalogue import DEFERRED

PARTNERS: Final = (10, 100)
INSTANCES: Final = (1, 2)
SIZES: Final = (100_000, 1_000_000, 3_000_000)
FACTS_OF_ONE: Final = 10

# Accepted facts of registrations and a partner that no record of the benchmark speaks of.
_FILL: Final = (
    """
    INSERT INTO registrations (registration_id, digest_key, version)
    SELECT md5('filler-' || n)::uuid::text, sha256(n::text::bytea), %(each)s
    FROM generate_series(%(first)s::int / %(each)s, %(last)s::int / %(each)s) AS n ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO journal (
        topic, "partition", position, partner, registration_id, source, event_id, type, outcome, codes,
        receivedtime, decidedtime, ruleversion, version, happened, digest, data
    )
    SELECT 'partners.filler.events', 0, n, 'filler', md5('filler-' || n / %(each)s)::uuid::text,
        '/partners/filler/mis', 'filler-' || md5(n::text), %(type)s, 'accepted', '{}',
        now(), now(), 'filler', n %% %(each)s + 1, now(), sha256(n::text::bytea),
        jsonb_build_object('reason', 'filler', 'code_list', 'filler', 'reason_group', 'filler')
    FROM generate_series(%(first)s::int, %(last)s::int) AS n
    """,
    "VACUUM ANALYZE registrations",
    "VACUUM ANALYZE journal",
)


async def by_partners(
    stage: Stage, data: Dataset, events: int, say: Callable[[str], None], counts: Sequence[int] = PARTNERS
) -> dict[int, float]:
    """Records a second that enrolment takes in from so many partners, of which each sends its share."""
    found: dict[int, float] = {}
    for number, count in enumerate(counts):
        stage.rest()
        say(f"Adding partners, up to {count:,} of the benchmark's")
        await asyncio.to_thread(stage.admit, with_partners(data, codes := _codes(count)))
        shares = shared_out(series(data, events, salt=20 + number), codes)
        first = await stage.publish(shares)
        found[count] = await throughput.intake(stage, first, codes)
        say(f"intake_per_second: {found[count]:,.0f}")
    return found


async def by_instances(
    stage: Stage, data: Dataset, events: int, say: Callable[[str], None], counts: Sequence[int] = INSTANCES
) -> dict[int, float]:
    """Records a second that so many instances of enrolment take in together from ten partners, as they are sent."""
    found: dict[int, float] = {}
    codes = _codes(PARTNERS[0])
    for number, count in enumerate(counts):
        stage.rest()
        say(f"Instances of enrolment: {count}")
        await asyncio.to_thread(stage.start, "enrolment", instances=count)
        shares = shared_out(series(data, events, salt=30 + number), codes)
        first = await stage.end(codes)
        found[count] = await throughput.taken_in(stage, first, first + events, codes, stage.publish(shares))
        say(f"intake_per_second: {found[count]:,.0f}")
    return found


def _codes(count: int) -> list[str]:
    return [f"{PARTNER}-{number:03}" for number in range(count)]


async def by_facts(
    stage: Stage, data: Dataset, events: int, say: Callable[[str], None], sizes: Sequence[int] = SIZES
) -> dict[int, float]:
    """Records a second that enrolment takes in with so many facts in its journal, each time anew."""
    found: dict[int, float] = {}
    filled = 0
    for number, size in enumerate(sizes):
        stage.rest()
        missing = size - stage.facts_of("enrolment")
        say(f"Filling enrolment's journal to {size:,} facts")
        if missing > 0:
            with stage.programme.system.engines.postgres.connect("enrolment") as connection:
                fill(connection, filled, filled + missing - 1)
            filled += missing
        first = await stage.publish({PARTNER: series(data, events, salt=10 + number)})
        found[size] = await throughput.intake(stage, first)
        say(f"intake_per_second: {found[size]:,.0f}")
    return found


def fill(connection: psycopg.Connection, first: int, last: int) -> None:
    """Add facts of these numbers, ten to a registration."""
    values = {"each": FACTS_OF_ONE, "first": first, "last": last, "type": DEFERRED.wire}
    for statement in _FILL:
        connection.execute(statement.encode(), values if "%(" in statement else None)

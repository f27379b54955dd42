"""One run: every measure in turn, on one system."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import growth, latency, naive, throughput
from bench.figures import CALM_RATE, RATE, RECORDS, Figures, Memory, Waits
from bench.series import PARTNER, series, with_partners
from bench.stage import TOPIC, Stage
from bench.surroundings import durability, held, load, machine, resident
from senconet.demo.run import PATIENCE, Prepared, traffic_of
from senconet.demo.traffic import exchange
from senconet.demonstration import dataset, judge
from senconet.demonstration.model import Dataset
from senconet.local.home import Home
from senconet.local.service import PROGRAMS
from shared.topics import DECIDING_SERVICES

SEED: Final = 2022
NAIVE_PART: Final = 10
GROWTH_EVENTS: Final = 40_000
OTHERS: Final = tuple(program.name for program in PROGRAMS if program.name != "enrolment")

Say = Callable[[str], None]


@dataclass(frozen=True)
class WithAll:
    """What the run with all services gave."""

    per_second: float
    rebuilt_per_second: float
    memory: dict[str, Memory]
    mix: dict[str, int]


def measure(events: int, scale: float, say: Say, *, grow: bool = False) -> Figures:
    """Start a system in a home of its own, measure everything, and stop it.

    `grow`: intake with more partners, instances and facts, too.
    """
    before = load()
    say(f"Making the demonstration's data at scale {scale:g}")
    data = with_partners(dataset.build(seed=SEED, scale=scale))
    prepared = Prepared(data, judge.judge(data.reference, data.phases, received=datetime.now(UTC)))
    with (
        tempfile.TemporaryDirectory(prefix="senconet-bench-") as folder,
        closing(Stage(Home(Path(folder) / "home"), data, say)) as stage,
    ):
        stage.open()
        figures = asyncio.run(_measure(stage, prepared, events, scale, before, say))
        return asyncio.run(_grown(figures, stage, data, say)) if grow else figures


async def _grown(figures: Figures, stage: Stage, data: Dataset, say: Say) -> Figures:
    events = min(figures.events, GROWTH_EVENTS)
    return replace(
        figures,
        intake_by_partners=await growth.by_partners(stage, data, events, say),
        intake_by_instances=await growth.by_instances(stage, data, events, say),
        intake_by_facts=await growth.by_facts(stage, data, events, say),
    )


async def _measure(
    stage: Stage, prepared: Prepared, events: int, scale: float, load_before: float, say: Say
) -> Figures:
    """With all services first, then with none, then with enrolment alone: nobody has work of another measure left."""
    durable = await durability(stage)
    say("Publishing the demonstration and waiting for its answers")
    partners = traffic_of(prepared, stage.bootstrap, stage.credentials)
    await exchange(partners, prepared.data.phases, PATIENCE, lambda: None)
    steady = await _waits(stage, prepared.data, RATE, say, salt=1)
    calm = await _waits(stage, prepared.data, CALM_RATE, say, salt=4)
    system = await _with_all(stage, prepared, events, say)
    stage.rest()
    say(f"Publishing {events:,} records more")
    first = await stage.publish({PARTNER: series(prepared.data, events, salt=3)})
    drained = _told(say, "drain_per_second", await throughput.drain(stage))
    naively = _told(say, "naive_per_second", await _naive(stage, events // NAIVE_PART))
    facts = stage.facts()
    taken_in = _told(say, "intake_per_second", await throughput.intake(stage, first))
    return Figures(
        events=events,
        scale=scale,
        drain_per_second=drained,
        naive_per_second=naively,
        naive_events=events // NAIVE_PART,
        intake_per_second=taken_in,
        intake_facts_before=facts,
        system_per_second=system.per_second,
        rebuild_per_second=system.rebuilt_per_second,
        steady=steady,
        calm=calm,
        memory_mib=system.memory,
        durability=durable,
        mix=system.mix,
        machine=machine(load_before),
    )


async def _waits(stage: Stage, data: Dataset, rate: int, say: Say, *, salt: int) -> Waits:
    steady = series(data, RECORDS[rate], salt=salt)
    say(f"{len(steady):,} records at {rate} a second: through a topic of their own, then through the system")
    waits = await latency.measured(stage, steady, rate)
    for name, seconds in {"hop": waits.hop_seconds, **waits.receipt_seconds, "view": waits.view_seconds}.items():
        say(f"{name}: median {1000 * seconds.median:,.1f} ms")
    return waits


def _told(say: Say, name: str, rate: float) -> float:
    say(f"{name}: {rate:,.0f}")
    return rate


async def _with_all(stage: Stage, prepared: Prepared, events: int, say: Say) -> WithAll:
    """All services start afresh, enrolment last, on records that are there already."""
    stage.rest()
    say(f"Publishing {events:,} records")
    first = await stage.publish({PARTNER: series(prepared.data, events, salt=2)})
    stage.start(*OTHERS)
    start, middle = dict[str, float](), dict[str, float]()

    def begin() -> None:
        stage.start("enrolment")
        start.update(resident(stage))

    rate = await throughput.answered(stage, first, begin, lambda: middle.update(resident(stage)))
    end = resident(stage)
    _told(say, "system_per_second", rate)
    memory = {name: Memory(start[name], middle[name], end[name]) for name in end}
    mix = {**_outcomes(stage, first), "held first": held(stage)}
    rebuilt = _told(say, "rebuild_per_second", await throughput.rebuilt(stage))
    return WithAll(rate, rebuilt, memory, mix)


async def _naive(stage: Stage, events: int) -> float:
    address = stage.programme.system.engines.fresh_databases("_naive")["enrolment"]
    return await naive.measure(stage.options, TOPIC, address, events)


def _outcomes(stage: Stage, first: int) -> dict[str, int]:
    """How the records from an offset on were finally answered."""
    counts: Counter[str] = Counter()
    for service in DECIDING_SERVICES:
        statement = "SELECT outcome, count(*) FROM journal WHERE topic = %s AND position >= %s GROUP BY outcome"
        counts.update(dict(stage.rows(service, statement, TOPIC, first)))
    return dict(counts)

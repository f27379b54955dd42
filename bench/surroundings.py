"""What stands around the numbers: how durable writes are, what memory the services take, on what machine."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Sequence
from typing import Final

import httpx
from confluent_kafka.admin import ConfigResource, ResourceType  # type: ignore[attr-defined]  # unmarked exports
from prometheus_client.parser import text_string_to_metric_families

from bench.stage import TOPIC, Stage
from shared.producer import BatchProducer
from shared.topics import DECIDING_SERVICES

_MIB: Final = 1024 * 1024
_DECIDING: Final = frozenset(DECIDING_SERVICES)


async def durability(stage: Stage) -> dict[str, str]:
    """The settings that decide what survives, as PostgreSQL, the relay's kind of producer and the broker tell them."""
    told = {name: str(stage.rows("enrolment", f"SHOW {name}")[0][0]) for name in ("fsync", "synchronous_commit")}
    producer = BatchProducer(stage.options, timeout_seconds=10)
    client = producer._client  # nothing public tells what a client does
    acks = client._sender._acks
    idempotence = client._txn_manager is not None
    await producer.stop()
    return {
        **told,
        "acks": "all" if acks == -1 else str(acks),
        "enable_idempotence": str(idempotence).lower(),
        **await asyncio.to_thread(_of_topic, stage, ("min.insync.replicas", "flush.messages")),
    }


def _of_topic(stage: Stage, settings: Sequence[str]) -> dict[str, str]:
    """Settings of the benchmark's topic, as the broker says."""
    admin = stage.programme.system.engines.kafka.admin()
    (future,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, TOPIC)]).values()
    told = future.result(15)
    return {setting: str(told[setting].value) for setting in settings}


def resident(stage: Stage) -> dict[str, float]:
    """The resident memory of each service's process, in MiB."""
    found = {name: service.process_id for name, service in stage.programme.system.services.items()}
    running = {name: process.find() for name, process in found.items() if process is not None}
    return {name: process.memory_info().rss / _MIB for name, process in running.items() if process is not None}


def held(stage: Stage) -> int:
    """How many records the services that run have had wait, each counted from its start."""
    return sum(_held(service.url) for name, service in stage.programme.system.services.items() if name in _DECIDING)


def _held(url: str) -> int:
    with httpx.Client(trust_env=False, timeout=10, follow_redirects=True) as client:
        told = client.get(f"{url}/metrics").raise_for_status().text
    decided = (family for family in text_string_to_metric_families(told) if family.name == "senconet_decided")
    samples = (sample for family in decided for sample in family.samples)
    return int(sum(s.value for s in samples if s.name.endswith("_total") and s.labels["outcome"] == "held"))


def load() -> float:
    """The load of the machine's last minute."""
    return os.getloadavg()[0]


def machine(load_before: float) -> dict[str, str]:
    """The machine, and its load before and after."""
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "load": f"{load_before:.1f} to {load():.1f}",
    }

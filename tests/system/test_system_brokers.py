"""Three brokers, one of which dies again and again: the one that leads what is busiest. Nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

import pytest

from senconet.local.home import Home
from shared import topics
from tests.system.cluster import Cluster, three_brokers
from tests.system.flow import as_if_undisturbed, flow_during
from tests.system.generations import OFFSETS
from tests.system.support import Stage, until

BUSY: Final = (topics.events("leaders-a"), OFFSETS)
BACK_SECONDS: Final = 60.0


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with three_brokers(tmp_path_factory.mktemp("brokers")) as cluster:
        yield cluster


@pytest.fixture
def replicated(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A system of its own on these brokers."""
    stage = Stage(Home(tmp_path_factory.mktemp("system")), cluster.environment)
    with stage.local:
        stage.open()
        yield stage
        stage.close()


async def kill_leaders(cluster: Cluster) -> None:
    """End the broker that leads a busy partition; once it is back and has caught up, the next."""
    for topic in BUSY:
        broker = cluster.brokers[await asyncio.to_thread(cluster.leader, topic)]
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)
        await until(lambda: asyncio.to_thread(cluster.whole), "the broker has caught up", BACK_SECONDS)


@pytest.mark.timeout(400)
async def test_whichever_leader_dies_nothing_is_lost_and_the_order_is_kept(cluster: Cluster, replicated: Stage):
    partners = [await replicated.partner("leaders-a"), await replicated.partner("leaders-b")]
    await until(cluster.whole, "each topic on all brokers")
    await flow_during(asyncio.create_task(kill_leaders(cluster)), replicated, partners, "leaders")
    await as_if_undisturbed(replicated, *partners)

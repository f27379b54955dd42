"""Three brokers on this machine, each a controller too: what one of them holds, another holds as well."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from confluent_kafka.admin import ClusterMetadata

from senconet.access import KafkaAccess
from senconet.local.home import KAFKA
from senconet.local.kafka import KafkaServer
from senconet.local.kafka_config import KafkaSecrets, KafkaSettings, new_cluster_id
from senconet.local.ports import LOOPBACK, reserved_ports
from shared.topics import OPERATOR

NODES: Final = (1, 2, 3)
SESSION_MS: Final = 3_000
ANSWER_SECONDS: Final = 10.0


class Cluster:
    """Brokers by their node ids."""

    def __init__(self, brokers: Mapping[int, KafkaServer]) -> None:
        self.brokers = brokers

    @property
    def access(self) -> KafkaAccess:
        """How its administrator reaches it, whichever broker is away."""
        bootstrap = ",".join(broker.access.bootstrap for broker in self.brokers.values())
        return KafkaAccess(bootstrap, OPERATOR, self.brokers[1].access.password)

    @property
    def environment(self) -> Mapping[str, str]:
        """What tells a system to use these brokers."""
        access = self.access
        named = {"ADMIN_USERNAME": access.username, "ADMIN_PASSWORD": access.password}
        return {KAFKA: access.bootstrap, **{f"{KAFKA}_{name}": value for name, value in named.items()}}

    def start(self) -> None:
        """Start all of them at once: none is ready before most are."""
        with ThreadPoolExecutor(len(self.brokers)) as pool:
            for started in [pool.submit(broker.start) for broker in self.brokers.values()]:
                started.result()

    def stop(self) -> None:
        """End all of them."""
        for broker in self.brokers.values():
            broker.kill()

    def leader(self, topic: str, partition: int = 0) -> int:
        """The node that leads a partition."""
        return int(self._metadata().topics[topic].partitions[partition].leader)

    def whole(self) -> bool:
        """Whether each partition of each topic is held by all nodes, and none is behind."""
        topics = self._metadata().topics.values()
        return all(set(p.isrs) == set(NODES) == set(p.replicas) for topic in topics for p in topic.partitions.values())

    def _metadata(self) -> ClusterMetadata:
        return self.access.admin().list_topics(timeout=ANSWER_SECONDS)


@contextmanager
def three_brokers(folder: Path) -> Iterator[Cluster]:
    """A cluster that runs inside the block, with its data in `folder`."""
    passwords = KafkaSecrets(*(secrets.token_urlsafe(24) for _ in range(3)))
    cluster_id = new_cluster_id()
    with reserved_ports([None] * 2 * len(NODES)) as ports:
        clients, controllers = ports[: len(NODES)], ports[len(NODES) :]
        voters = tuple(f"{node}@{LOOPBACK}:{port}" for node, port in zip(NODES, controllers, strict=True))
        cluster = Cluster(
            {
                node: KafkaServer(
                    folder / str(node),
                    KafkaSettings(
                        cluster_id, str(folder / str(node) / "data"), client, controller, passwords,
                        node_id=node, voters=voters, session_ms=SESSION_MS,
                    ),
                )
                for node, client, controller in zip(NODES, clients, controllers, strict=True)
            }
        )  # fmt: skip
        try:
            cluster.start()
        except BaseException:
            cluster.stop()
            raise
    try:
        yield cluster
    finally:
        cluster.stop()

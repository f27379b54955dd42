"""Clients without our options."""

import aiokafka
from aiokafka import AIOKafkaProducer


def clients():
    return aiokafka.AIOKafkaConsumer("a"), AIOKafkaProducer()  # found

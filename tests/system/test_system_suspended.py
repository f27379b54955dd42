"""A partner that is suspended can do nothing from that moment; what it had sent is answered; it can be let in again."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from typer.testing import CliRunner

from senconet.cli.partners import app
from senconet.local.home import HOME
from tests.system.events import Trainee
from tests.system.support import Partner, Stage

CODE = "suspended"


async def suspend(stage: Stage) -> tuple[int, str]:
    """What `senconet partner suspend` ends with and says."""
    words, environment = ["suspend", CODE], {HOME: str(stage.local.home.path)}
    done = await asyncio.to_thread(CliRunner().invoke, app, words, env=environment)
    return done.exit_code, done.output


def asked(stage: Stage, token: str) -> int:
    """What reporting answers to a token."""
    url = stage.local.services["reporting-server"].url
    return httpx.get(f"{url}/v1/trainees", headers={"Authorization": f"Bearer {token}"}, trust_env=False).status_code


async def log_in(partner: Partner) -> None:
    producer = AIOKafkaProducer(**partner.access.client_options())
    try:
        await producer.start()
    finally:
        await producer.stop()


async def test_its_open_connection_its_password_and_its_tokens_end(stage: Stage):
    partner, neighbour = await stage.partner(CODE), await stage.partner("ab")
    assert (asked(stage, partner.token), asked(stage, neighbour.token)) == (200, 200)
    async with AIOKafkaProducer(**partner.access.client_options()) as connected:
        await connected.send_and_wait(partner.topic, *sent(partner))
        stage.rest("enrolment")
        await connected.send_and_wait(partner.topic, *sent(partner))
        code, said = await suspend(stage)
        assert (code, said.partition(".")[0]) == (0, f"{CODE} can neither publish nor read")
        with pytest.raises(TopicAuthorizationFailedError):
            await connected.send_and_wait(partner.topic, b"{}")
    with pytest.raises(KafkaError):
        await log_in(partner)
    assert (asked(stage, partner.token), asked(stage, neighbour.token)) == (401, 200)
    code, said = await suspend(stage)
    assert (code, said.partition(".")[0]) == (1, f"Nobody could come in as {CODE}")
    await stage.serve_async("enrolment")
    await stage.all_answered(partner)

    earlier = partner.token
    again = await stage.bring_in(CODE, "The partner let in again")
    again.sent += partner.sent
    await log_in(again)
    assert (asked(stage, again.token), asked(stage, earlier)) == (200, 401)


def sent(partner: Partner) -> tuple[bytes | None, bytes | None, int | None, None, list[tuple[str, bytes]]]:
    """A record as the client takes it, noted among what the partner has sent."""
    record = Trainee(partner.code).registered()
    partner.sent.append(record)
    return record.value, record.key, 0, None, list(record.headers)

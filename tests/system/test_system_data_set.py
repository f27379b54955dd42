"""The reduced national data set, through each partner's own credential, answered record by record as the key says.

Exact copies, ids with other content, events out of order and late ones, and every kind of bad record are in it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from senconet.access import KafkaAccess
from senconet.demo.check import check_answers, check_states
from senconet.demo.traffic import Traffic, exchange, view_by_http, view_by_topic
from senconet.demonstration import judge
from senconet.demonstration.model import Key
from shared import topics
from tests.system.invariants import invariants
from tests.system.support import Stage, until

PATIENCE = 90


async def test_each_record_of_the_data_set_is_answered_as_the_key_says(stage: Stage):
    key = judge.judge(stage.data.reference, stage.data.phases, received=datetime.now(UTC))
    partners = [await bring_in(stage, partner.code, partner.name, key) for partner in stage.data.partners]
    await exchange(partners, stage.data.phases, PATIENCE, lambda: None)
    for traffic in partners:
        phases = (phase.get(traffic.code, ()) for phase in stage.data.phases)
        stage.partners[traffic.code].sent += [record for phase in phases for record in phase]
        checked = check_answers(traffic.code, traffic.expected, traffic.receipts)
        assert checked.compared == len(stage.partners[traffic.code].sent)
        assert checked.differences == ()
    await invariants(stage)
    await until(lambda: views_agree(stage, key), "the partners' views as the key says")


async def bring_in(stage: Stage, code: str, name: str, key: Key) -> Traffic:
    """A partner of the data set, or the lead."""
    partner = await stage.bring_in(code, name)
    access = KafkaAccess(partner.access.bootstrap, topics.principal_of(code), partner.access.password)
    return Traffic(code, access, key.answers[code])


async def views_agree(stage: Stage, key: Key) -> bool:
    """Whether each partner sees its own trainees in the key's states, by topic and by HTTP."""
    url = stage.local.services["reporting-server"].url
    seen = {}
    for partner in stage.data.partners:
        if partner.code != topics.LEAD:
            own = stage.partners[partner.code]
            by_topic = await view_by_topic(own.access, own.code)
            if by_topic != await view_by_http(url, own.token):
                return False
            seen |= {(own.code, id_): row for id_, row in by_topic.items()}
    return check_states(key.states, seen).differences == ()

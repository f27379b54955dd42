"""The journal that intake is measured on is filled with facts like those of enrolment."""

from __future__ import annotations

from bench import growth
from senconet.local.engines import Engines
from senconet.migrate import migrate
from shared.database import make_engine, transaction
from shared.loading import lock_ledgers
from shared.shelf import MOST_FACTS


async def test_facts_are_added_ten_to_a_registration_and_are_read_as_any_other(engines: Engines) -> None:
    migrate("enrolment", url := engines.fresh_databases("_growth")["enrolment"])
    with engines.postgres.connect("enrolment_growth") as connection:
        growth.fill(connection, 0, 49)
        growth.fill(connection, 50, 99)
        ids = [id_ for (id_,) in connection.execute("SELECT DISTINCT registration_id FROM journal").fetchall()]
    engine = make_engine(url)
    async with transaction(engine) as tx:
        ledgers = await lock_ledgers(tx, sorted(ids))
    await engine.dispose()
    assert [len(ledger.history.accepted) for ledger in ledgers.values()] == [growth.FACTS_OF_ONE] * 10
    assert max(growth.SIZES) > MOST_FACTS

"""Commits beside the one place that commits."""


async def keep(engine, session, rows):
    async with engine.begin() as connection:  # found
        await connection.execute(rows)
    session.commit()  # found
    await session.connection().rollback()  # found

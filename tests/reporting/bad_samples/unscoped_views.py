"""A query that takes no scope, one that takes it second, one that takes another's: each must be found."""


async def everything(tx):
    return await tx.execute("SELECT * FROM trainees")


async def second(tx, scope: Scope):
    return await tx.execute("SELECT * FROM trainees")


def wrongly_typed(scope: str, tx):
    return tx.execute("SELECT * FROM trainees")


class Hidden:
    async def inside(self, tx):
        return await tx.execute("SELECT * FROM trainees")


async def scoped(scope: Scope, tx):
    return await tx.execute("SELECT * FROM trainees")

"""Subscribers made by hand, with FastStream's own acknowledging, answering and parsing."""


@broker.subscriber("partners.a.events")  # found
async def handle(body):
    return body


@broker.publisher("answers")  # found
async def answer(body):
    return body

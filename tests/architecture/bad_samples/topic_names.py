"""Topics spelled by hand; the words alone, and a file, are no topics: partners.x.events in a docstring neither."""


def names(partner, service):
    yield f"partners.{partner}.events"  # found
    yield "partners.quillmarsh.receipts"  # found
    yield service + "enrolment.facts"  # found
    yield f"{service}.requests"  # found
    yield f"reference.{partner}"  # found
    yield "enrolment.identity"  # found
    yield "events.jsonl"
    yield "requests"

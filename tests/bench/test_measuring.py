"""What counts as time, and whose wait is whose."""

from __future__ import annotations

import pytest

from bench.figures import HANDED_ON, OWN, Seconds
from bench.latency import Heard, Sent, compared
from bench.throughput import Pace, Stalled
from senconet.publisher import Outgoing
from shared.events.catalogue import COMPLETED, REGISTERED, SESSION, EventType

HOP = Seconds(0.002, 0.01, 3)


def record(kind: EventType, key: bytes = b"a") -> Outgoing:
    return Outgoing(key, b"{}", (("ce_type", kind.wire.encode()),))


def test_a_start_is_no_part_of_the_pace() -> None:
    pace = Pace(1100)
    pace.look(100, now=50)
    pace.look(600, now=55)
    assert pace.per_second(now=60) == 100


def test_a_pace_that_nobody_saw_is_not_told() -> None:
    pace = Pace(100)
    pace.look(100, now=50)
    with pytest.raises(Stalled):
        pace.per_second(now=50.1)


def test_waits_are_told_by_the_owner_of_the_type_and_from_the_acknowledgement() -> None:
    kinds = (REGISTERED, SESSION, COMPLETED)
    sent = Sent({n: record(kind) for n, kind in enumerate(kinds)}, {0: 1.0, 1: 2.0, 2: 3.0})
    heard = Heard(
        final={0: (1.5, "accepted"), 1: (4.0, "accepted"), 2: (7.0, "accepted")},
        shown={b"a": 2.25},
        completed={b"a": 8.0},
    )
    found = compared(HOP, sent, heard)
    own, handed_on = found.receipt_seconds[OWN], found.receipt_seconds[HANDED_ON]
    assert (own.median, own.count) == (0.5, 1)
    assert (handed_on.median, handed_on.p99) == (2.0, 4.0)
    assert found.view_seconds == Seconds(1.25, 5.0, 2)
    assert found.hop_seconds == HOP


def test_who_waited_for_the_other_half_and_who_was_refused_are_left_out_of_the_view() -> None:
    kinds = (REGISTERED, SESSION, REGISTERED, REGISTERED)
    sent = Sent({n: record(kind, b"%d" % n) for n, kind in enumerate(kinds)}, dict.fromkeys(range(4), 1.0))
    final = {0: (2.0, "accepted"), 1: (2.0, "accepted"), 2: (30.0, "accepted"), 3: (2.0, "rejected")}
    found = compared(HOP, sent, Heard(final, held={2}, shown=dict.fromkeys((b"0", b"2", b"3"), 3.0)))
    assert (found.receipt_seconds[OWN].count, found.view_seconds.count) == (2, 1)

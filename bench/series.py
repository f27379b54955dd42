"""Many events of one partner in the demonstration's mix: its records under another sender and other ids. Pure."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from senconet.demonstration.model import Dataset, Phase, Record
from senconet.demonstration.model import Partner as Named
from senconet.publisher import Outgoing

PARTNER: Final = "benchmark"
PARTNER_NAME: Final = "Benchmark (synthetic)"

_FIRST: Final = "2022-07-01"
_UUID: Final = re.compile(rb"\b([0-9a-f]{8})(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b")
_SOURCE: Final = re.compile(rb"/partners/([a-z0-9-]+)/")
_REFERENCE: Final = re.compile(rb'("partner_ref":\s*")')
_SPREAD: Final = 0x9E3779B1


def with_partners(data: Dataset, codes: Sequence[str] = (PARTNER,)) -> Dataset:
    """The data set with more partners, which have a partnership for every cohort and send nothing."""
    periods = [{"valid_from": _FIRST, "valid_to": None}]
    added = [
        {"partner_code": code, "cohort_code": cohort["cohort_code"], "periods": periods}
        for code in codes
        for cohort in data.reference.cohorts
    ]
    reference = replace(data.reference, partnerships=(*data.reference.partnerships, *added))
    return replace(data, reference=reference, partners=(*data.partners, *(Named(code, PARTNER_NAME) for code in codes)))


def series(data: Dataset, events: int, *, salt: int) -> list[Outgoing]:
    """Exactly so many records of the benchmark's partner, in whole lives but for the last one.

    They are as many copies of the data set as it takes. `salt` tells one series from another: no trainee,
    registration or event of one is in another, nor in the data set itself.
    """
    lives: defaultdict[bytes, list[tuple[float, Outgoing]]] = defaultdict(list)
    size = sum(len(records) for phase in data.phases for records in phase.values())
    for copy in range(1, -(-events // size) + 1):
        for when, record in _in_order(data.phases):
            again = rekeyed(record, salt * 1000 + copy)
            lives[again.key or b""].append((when, again))
    taken: list[tuple[float, Outgoing]] = []
    for key in sorted(lives, key=lambda key: hashlib.sha256(key).digest()):
        taken += lives[key]
        if len(taken) >= events:
            break
    return [record for _, record in sorted(taken[:events], key=lambda placed: placed[0])]


def shared_out(records: Iterable[Outgoing], codes: Sequence[str]) -> dict[str, list[Outgoing]]:
    """The records of a series as those of several partners: each has whole lives, in their order."""
    own = b"/partners/%b/" % PARTNER.encode()
    shares: dict[str, list[Outgoing]] = {code: [] for code in codes}
    for record in records:
        code = codes[zlib.crc32(record.key or b"") % len(codes)]
        theirs = b"/partners/%b/" % code.encode()
        headers = tuple((name, value and value.replace(own, theirs)) for name, value in record.headers)
        shares[code].append(Outgoing(record.key, record.value and record.value.replace(own, theirs), headers))
    return shares


def rekeyed(record: Record, copy: int) -> Outgoing:
    """A record as the benchmark's partner sends it: the same but for its sender, and for ids that no other copy has."""
    headers = tuple((name, value if value is None else _of_copy(value, copy)) for name, value in record.headers)
    key = None if record.key is None else _of_copy(record.key, copy)
    if record.value is None:
        return Outgoing(key, None, headers)
    value = _REFERENCE.sub(rb"\g<1>%d." % copy, _of_copy(record.value, copy))
    return Outgoing(key, value, headers)


def _of_copy(text: bytes, copy: int) -> bytes:
    mask = copy * _SPREAD & 0xFFFF_FFFF
    moved = _UUID.sub(lambda found: b"%08x%b" % (int(found[1], 16) ^ mask, found[2]), text)
    return _SOURCE.sub(rb"/partners/%b/%d." % (PARTNER.encode(), copy) + rb"\g<1>.", moved)


def _in_order(phases: tuple[Phase, ...]) -> Iterator[tuple[float, Record]]:
    """All records with their place: a partner's in its order, partners side by side, one phase after the other."""
    for number, phase in enumerate(phases):
        for records in phase.values():
            for place, record in enumerate(records):
                yield number + place / len(records), record

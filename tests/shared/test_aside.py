"""What is set aside, for how long, and what is said of it."""

from __future__ import annotations

import logging

import pytest

from shared import topics
from shared.aside import Aside

THEIRS, OTHERS, OURS = topics.receipts("ashdown"), topics.view("brackwater"), topics.facts("enrolment")


def test_topics_of_partners_are_set_aside_until_they_are_tried_again_and_ours_are_not():
    aside = Aside()
    assert aside.next == float("inf")
    assert aside.put([THEIRS, OURS], "gone", 15) == {THEIRS}
    assert aside.put([OTHERS], "gone", 30) == {OTHERS}
    assert (aside.topics(10), aside.next) == ([THEIRS, OTHERS], 15)
    assert (aside.topics(15), aside.next) == ([OTHERS], 30)
    assert (aside.topics(31), aside.next) == ([], float("inf"))


def test_it_is_logged_once_what_waits_and_why_and_that_it_goes_out_again(caplog: pytest.LogCaptureFixture):
    aside = Aside()
    with caplog.at_level(logging.WARNING):
        aside.put([THEIRS], "gone", 15)
        aside.put([THEIRS], "gone", 30)
        aside.put([THEIRS], "refused", 45)
        aside.taken([THEIRS, OTHERS])
        aside.taken([THEIRS])
        aside.put([THEIRS], "refused", 60)
    waits = f"what is for {THEIRS} waits in the outbox"
    assert caplog.messages == [
        f"{waits}: gone",
        f"{waits}: refused",
        f"what is for {THEIRS} goes out again",
        f"{waits}: refused",
    ]

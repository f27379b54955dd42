"""What is set aside, and what is said of it."""

from __future__ import annotations

import logging

import pytest
from aiokafka.errors import NotEnoughReplicasError, TopicAuthorizationFailedError

from shared import topics
from shared.aside import Aside

THEIRS, OTHERS, OURS = topics.receipts("ashdown"), topics.view("brackwater"), topics.facts("enrolment")


def test_topics_of_partners_are_set_aside_and_ours_are_not():
    aside = Aside()
    assert aside.put([THEIRS, OURS], "gone") == {THEIRS}
    assert aside.put([OTHERS], "gone") == {OTHERS}
    assert aside.topics() == [THEIRS, OTHERS]
    aside.taken(THEIRS)
    assert aside.topics() == [OTHERS]


def test_what_is_a_matter_of_one_topic_is_set_aside_and_what_may_be_the_brokers_is_not():
    aside = Aside()
    aside.put_refused({THEIRS: NotEnoughReplicasError(), OURS: TimeoutError()}, others_taken=False)
    assert aside.topics() == []
    aside.put_refused({OTHERS: TopicAuthorizationFailedError()}, others_taken=False)
    assert aside.topics() == [OTHERS]
    aside.put_refused({THEIRS: NotEnoughReplicasError(), OURS: TimeoutError()}, others_taken=True)
    assert aside.topics() == [OTHERS, THEIRS]


def test_it_is_logged_once_what_waits_and_why_and_that_it_goes_out_again(caplog: pytest.LogCaptureFixture):
    aside = Aside()
    with caplog.at_level(logging.WARNING):
        aside.put([THEIRS], "gone")
        aside.put([THEIRS], "gone")
        aside.put_refused({THEIRS: TopicAuthorizationFailedError()}, others_taken=True)
        aside.taken(THEIRS)
    waits = f"what is for {THEIRS} waits in the outbox"
    assert caplog.messages == [
        f"{waits}: gone",
        f"{waits}: the broker does not take it (TopicAuthorizationFailedError)",
        f"what is for {THEIRS} goes out again",
    ]

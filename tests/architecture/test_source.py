"""The rules of the source: each holds for the project, and each finds its bad sample."""

from __future__ import annotations

import pytest

from shared.topics import SERVICES
from tests.architecture import rules
from tests.architecture.source import Module, Rule, broken, marked, modules, sample

PRODUCT = modules("services", "shared", "senconet")
RUNNING = modules("services", "shared")

PURE = {
    *(f"services/enrolment/{name}.py" for name in ("eligibility", "life", "transfer")),
    "services/mentoring/risk.py",
    *(f"shared/{name}.py" for name in ("clock", "contract", "handover", "history", "records", "reference")),
    *(f"shared/{name}.py" for name in ("owning", "standing", "states", "status")),
}

HELD: list[tuple[Rule, tuple[Module, ...], tuple[str, ...], str]] = [
    (rules.commits, RUNNING, ("shared/database.py",), "transactions.py"),
    (rules.subscribers, PRODUCT, ("shared/kafka.py",), "subscribers.py"),
    (rules.careless_subscribers, PRODUCT, (), ""),
    (rules.kafka_clients, PRODUCT, ("shared/kafka.py", "shared/producer.py"), "clients.py"),
    (rules.topic_names, PRODUCT, ("shared/topics.py",), "topic_names.py"),
    (rules.metrics, PRODUCT, (), "metrics.py"),
    (rules.at_import, PRODUCT, (), "at_import.py"),
    (rules.impure, tuple(m for m in RUNNING if m.path in PURE or m.path.endswith("/domain.py")), (), "impure.py"),
    (rules.impure, modules("shared/events"), (), "impure.py"),
    (rules.outside("shared"), modules("shared"), (), "imports.py"),
    *((rules.outside("shared", f"services.{s}"), modules(f"services/{s}"), (), "") for s in SERVICES),
    (rules.outside("shared", "services", "senconet"), modules("senconet"), (), ""),
]


@pytest.mark.parametrize(("rule", "given", "but", "bad"), HELD)
def test_the_project_keeps_the_rule(rule: Rule, given: tuple[Module, ...], but: tuple[str, ...], bad: str) -> None:
    assert given
    assert broken(rule, given, but) == []


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        *((rule, bad) for rule, _, _, bad in HELD if bad not in ("", "imports.py")),
        (rules.outside("shared", "services.assessment"), "imports.py"),
    ],
)
def test_the_rule_finds_its_bad_sample(rule: Rule, bad: str) -> None:
    assert sorted(set(rule(sample(bad)))) == marked(sample(bad)) != []


def test_every_module_named_as_pure_is_there() -> None:
    assert {module.path for module in RUNNING} >= PURE


def test_what_is_excepted_exists_and_needs_it() -> None:
    for rule, _, but, _ in HELD:
        for path in but:
            assert rule(Module(path, next(m.text for m in PRODUCT if m.path == path)))


def test_a_subscriber_that_leaves_a_choice_to_the_framework_is_found() -> None:
    careful = "broker.subscriber('t', ack_policy=1, no_reply=True, parser=a, decoder=b)"
    assert rules.careless_subscribers(Module("careful.py", careful)) == []
    for left in ("ack_policy=1, ", "no_reply=True, ", "parser=a, ", ", decoder=b"):
        assert rules.careless_subscribers(Module("careless.py", careful.replace(left, ""))) == [1]


def test_files_and_functions_can_be_read_at_a_glance() -> None:
    assert broken(rules.long_files, (*PRODUCT, *modules("bench"))) == []
    assert broken(rules.long_functions, (*PRODUCT, *modules("bench"))) == []


def test_a_long_file_and_a_long_function_are_found() -> None:
    assert rules.long_files(Module("long.py", "x = 1\n" * 301)) == [301]
    assert rules.long_files(Module("short.py", "x = 1\n" * 300)) == []
    assert rules.long_functions(Module("long.py", "def f():\n" + "    x = 1\n" * 45)) == [1]
    assert rules.long_functions(Module("short.py", "async def f():\n" + "    x = 1\n" * 44)) == []

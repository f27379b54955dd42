"""The deciding services have the same rooms, so that who knows one knows all."""

from __future__ import annotations

from pathlib import Path

from shared.topics import DECIDING_SERVICES
from tests.architecture.source import ROOT

# What a service has beside the rooms of all, and why; one that is not named has none.
OWN: dict[str, set[str]] = {
    # the states of a registration, transfers, who may register; the directory of persons, settings and places with
    # its rows; placing registrations anew when a setting moves
    "enrolment": {"directory.py", "eligibility.py", "life.py", "places.py", "store.py", "transfer.py"},
    # the signals that a trainee is at risk
    "mentoring": {"risk.py"},
}


def rooms(service: Path) -> set[str]:
    """The files and folders of a service."""
    return {path.name for path in service.iterdir() if not path.name.startswith("__pycache__")}


def unlike(folder: Path, own: dict[str, set[str]]) -> dict[str, set[str]]:
    """What services have, or lack, against the rooms that all share."""
    found = {service: rooms(folder / service) - extra for service, extra in own.items()}
    shared = set.intersection(*found.values())
    return {service: names - shared for service, names in found.items() if names - shared}


def test_every_deciding_service_has_the_same_rooms() -> None:
    found = unlike(ROOT / "services", {service: OWN.get(service, set()) for service in DECIDING_SERVICES})
    assert not found, f"not in all of services/: make it there, or name it in OWN of test_rooms.py: {found}"
    assert all(extra <= rooms(ROOT / "services" / service) for service, extra in OWN.items())


def test_a_room_of_one_service_alone_is_found(tmp_path: Path) -> None:
    for service in ("one", "other"):
        for name in ("domain.py", "store.py"):
            (tmp_path / service).mkdir(exist_ok=True)
            (tmp_path / service / name).touch()
    (tmp_path / "other" / "helpers.py").touch()
    assert unlike(tmp_path, {"one": set(), "other": set()}) == {"other": {"helpers.py"}}
    (tmp_path / "one" / "store.py").unlink()
    assert unlike(tmp_path, {"one": set(), "other": {"helpers.py"}}) == {"other": {"store.py"}}

"""Which folder a demonstration may begin in."""

from __future__ import annotations

import pytest
import typer

from senconet.cli.demo import MARK, make_room
from senconet.local.home import Home


def test_a_demonstration_begins_in_a_folder_that_is_not_there(home: Home) -> None:
    make_room(home)
    assert [entry.name for entry in home.path.iterdir()] == [MARK]


def test_what_an_earlier_demonstration_left_is_removed(home: Home) -> None:
    make_room(home)
    (home.path / "system.json").write_text("{}")
    (home.path / "left.log").write_text("left")
    make_room(home)
    assert [entry.name for entry in home.path.iterdir()] == [MARK]


def test_one_that_was_broken_off_before_it_began_is_no_hindrance(home: Home) -> None:
    make_room(home)
    make_room(home)
    assert (home.path / MARK).is_file()


def test_a_folder_of_somebody_else_is_refused_and_left_alone(home: Home) -> None:
    (home.path / "demonstration").mkdir(parents=True)
    (home.path / "system.json").write_text("{}")
    with pytest.raises(typer.Exit):
        make_room(home)
    assert (home.path / "demonstration").is_dir()

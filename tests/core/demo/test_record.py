"""What a folder says of its demo, and what follows for every command that opens it."""

import re
from pathlib import Path
from typing import Any

import pytest

from wellio import WellioError
from wellio.config.settings import Config, load_config
from wellio.demo.record import DemoPractice, Login, database_of, write
from wellio.demo.settings import of_folder
from wellio.testing.apps import NO_FILE

END = 1_790_000_000_000
REAL = "postgresql://wellio:quiet@db.example/real"
OWN = "postgresql://wellio:quiet@db.example/demo"


def config_of(folder: Path, **more: Any) -> Config:
    real = {"mail.url": "mailtos://me:quiet@mail.example?from=me@mail.example"}
    return load_config(NO_FILE, env={}, overrides={"data_dir": folder, **real, **more})


def say(config: Config, *, ended_at: int = END) -> None:
    logins = [Login("Helen", "owner", "helen@practice.example")]
    write(config, DemoPractice("kabota", logins, ended_at, 3, database_of(config)))


def test_a_practice_keeps_its_settings(tmp_path: Path) -> None:
    config = config_of(tmp_path, **{"database.url": REAL})
    assert of_folder(config) is config


def test_a_demo_in_its_folder_opens_no_other_database_and_sends_no_mail(tmp_path: Path) -> None:
    say(config_of(tmp_path))
    found = of_folder(config_of(tmp_path, **{"database.url": REAL}))
    assert (found.database.url, found.mail.url) == (None, None)


def test_a_demo_elsewhere_opens_its_own_database_alone(tmp_path: Path) -> None:
    own = config_of(tmp_path, **{"database.url": OWN})
    say(own)
    found = of_folder(own)
    assert (found.database, found.mail.url) == (own.database, None)
    for other in ({}, {"database.url": REAL}):
        with pytest.raises(WellioError, match="lies in another database"):
            of_folder(config_of(tmp_path, **other))


@pytest.mark.parametrize(
    "url, advice",
    [
        (None, "delete {folder}"),
        (OWN, "delete {folder} and empty the database demo"),
        ("sqlite:////elsewhere/demo.db", "delete {folder} and empty /elsewhere/demo.db"),
    ],
)
def test_a_demo_that_is_not_finished_is_not_opened(
    tmp_path: Path, url: str | None, advice: str
) -> None:
    config = config_of(tmp_path, **{"database.url": url})
    say(config, ended_at=0)
    advice = re.escape(advice.format(folder=tmp_path))
    with pytest.raises(WellioError, match=f"was not finished: {advice}$"):
        of_folder(config)

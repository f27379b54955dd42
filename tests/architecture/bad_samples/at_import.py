"""Work done because somebody imports the module."""

import os

from shared.database import make_engine
from shared.settings import Settings

SETTINGS = Settings.from_env(os.environ)  # found
ENGINE = make_engine("postgresql://")  # found


class Late:
    home = os.getenv("HOME")  # found

    def engine(self):
        return make_engine("postgresql://")


if __name__ == "__main__":
    run(os.environ)

"""`python -m services.reporting`"""

from services.reporting.app import make
from shared.runtime import run
from shared.settings import Settings

if __name__ == "__main__":
    run(make, Settings)

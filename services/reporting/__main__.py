"""`python -m services.reporting`"""

from services.reporting.app import make
from shared.runtime import run

if __name__ == "__main__":
    run(make)

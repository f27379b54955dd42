"""`python -m services.enrolment`"""

from services.enrolment.app import make
from shared.runtime import run
from shared.settings import Settings

if __name__ == "__main__":
    run(make, Settings)

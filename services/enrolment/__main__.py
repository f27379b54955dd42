"""`python -m services.enrolment`"""

from services.enrolment.app import make
from shared.runtime import run

if __name__ == "__main__":
    run(make)

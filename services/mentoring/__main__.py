"""`python -m services.mentoring`"""

from services.mentoring.app import MentoringSettings, make
from shared.runtime import run

if __name__ == "__main__":
    run(make, MentoringSettings)

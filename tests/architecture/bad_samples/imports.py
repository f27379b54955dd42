"""A service that reaches into another one, into the tools, and into the tests."""

from shared import topics
from services.assessment import domain
from services.enrolment.domain import decide  # found
from services import enrolment  # found
import senconet.publisher  # found
from ..enrolment import judge  # found


def late():
    from tests.support import memory  # found

    return memory, topics, domain

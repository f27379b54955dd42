"""Rules that read a clock, draw at random and talk to the world."""

import json
import random  # found
from datetime import datetime, timedelta
from uuid import uuid4  # found

from sqlalchemy.ext.asyncio import AsyncConnection  # found


def decide(event):
    late = datetime.now() - event.time > timedelta(days=30)  # found
    print(late)  # found
    return json.dumps(event)

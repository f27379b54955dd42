"""A trainee's course: sessions, a mentor, mentoring, portfolios and decisions, on days that admit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from senconet.demonstration.lives import DAY, Author, Life
from senconet.demonstration.publishing import COURSE
from senconet.demonstration.reference import COHORTS, MAX_ATTEMPTS, UNITS, sessions
from senconet.demonstration.wire import LONDON, Event

ATTENDANCE = (("attended", 80), ("part_attended", 7), ("absent_notified", 8), ("absent", 5))
MENTORING = (("held", 85), ("trainee_absent", 8), ("mentor_absent", 3), ("cancelled", 4))
SHARE_REFERRED = 0.04  # of first and second attempts
TRAINEES_TO_A_MENTOR = 15
TOLD = frozenset({"held"})  # of the kinds that are no fact's name: told to be accepted


@dataclass(frozen=True, slots=True)
class Span:
    """London days, both included, of a deferral or withdrawal. `late`: told after the completion."""

    first: date
    last: date
    late: bool
    lifted_by_lead: bool

    def covers(self, day: date) -> bool:
        """Whether a day lies within."""
        return self.first <= day <= self.last


def day_of(event: Event) -> date:
    """The London day of an event."""
    return event.time.astimezone(LONDON).date()


def told(event: Event) -> bool:
    """Whether an event is told to be accepted, as far as its kind says."""
    return event.kind == event.fact or event.kind in TOLD


def spans(life: Life) -> list[Span]:
    """When the trainee is, or is said to be, deferred or withdrawn, and around a transfer."""
    own = [event for event in life.events if event.subject == life.subject and event.kind != "copy_of_held"]
    done = [i for i, event in enumerate(own) if event.fact == "completed" and told(event)]
    found = []
    for i, event in enumerate(own):
        if event.fact not in ("deferred", "withdrew") or not told(event):
            continue
        void = [e for e in own if e.fact == f"{event.fact}.voided" and e.data["target_id"] == event.id]
        back = [e for e in own if e.fact == "resumed" and told(e) and e.time > event.time]
        ends = [day_of(e) for e in (*void, *back)]
        late = bool(done) and i > done[0]
        found.append(Span(day_of(event), max(ends, default=date.max), late, any(e.phase == 2 for e in void)))
    if life.moves is not None:
        found.append(Span(life.moves.offered, life.moves.effective, False, False))
    return found


@dataclass(slots=True)
class Planner:
    """Plans the course of one life."""

    author: Author
    life: Life
    days: list[date]  # that admit sessions and mentoring
    firm: list[date]  # that admit portfolios and decisions, whatever is told later

    def by(self, day: date) -> Author:
        """Who writes on a day: before a transfer the losing partner."""
        moves = self.life.moves
        return self.author if moves is None or day > moves.effective else moves.loser

    def put(self, event: Event) -> Event:
        """Puts an event before those of the life that happened later; the gaining partner's after its acceptance."""
        events, begins = self.life.events, "registered"
        if event.topic == self.author.person.partner and self.life.moves is not None:
            event, begins = event.again(event.kind, phase=2), "transfer.accepted"
        first = next(i for i, e in enumerate(events) if e.subject == self.life.subject and e.fact == begins and told(e))
        later = (i for i in range(first + 1, len(events)) if told(events[i]) and events[i].time > event.time)
        events.insert(next(later, len(events)), event)
        return event

    def choice(self, weights: Sequence[tuple[str, int]]) -> str:
        """A random one, by weight."""
        return self.author.studio.rng.choices([name for name, _ in weights], [n for _, n in weights])[0]


def planner(author: Author, life: Life) -> Planner:
    """A planner over the days between registration and end that admit something."""
    person, closed = life.person, spans(life)
    done = [day_of(event) for event in life.events if event.fact == "completed" and event.kind != "copy_of_held"]
    registered = max(day_of(e) for e in life.events if e.fact == "registered" and e.subject == life.subject)
    first = max(registered, person.starts) + DAY
    last = min([*done, person.ended]) - DAY
    days = [first + n * DAY for n in range((last - first).days + 1)]
    return Planner(
        author,
        life,
        [day for day in days if not any(span.covers(day) for span in closed if not span.late)],
        [day for day in days if not any(span.covers(day) for span in closed if not span.lifted_by_lead)],
    )


def _sessions(plan: Planner) -> None:
    """The cohort's sessions; the first is attended, many of the last before a withdrawal are not."""
    rng, person, admitted = plan.author.studio.rng, plan.life.person, set(plan.days)
    fades = not person.completes and rng.random() < 0.6
    first = True
    for session in sessions(COHORTS[person.cohort]):
        day = max(session.on, plan.days[0]) if first else session.on
        if day not in admitted:
            continue
        fading = fades and person.ended - day < timedelta(days=24)
        status = "absent" if fading else plan.choice(ATTENDANCE)
        plan.put(plan.by(day).session(day, session, "attended" if first else status))
        first = False


def _mentoring(plan: Planner) -> None:
    """A mentor (some change, and after a transfer there is another), and three to five sessions with them."""
    rng, days = plan.author.studio.rng, plan.days
    due = min(rng.randint(3, 5), max(1, round(len(days) / 15)), len(days))
    partner, mentor = "", ""
    for number, day in enumerate(sorted(rng.sample(days, due)), start=1):
        author = plan.by(day)
        same = partner == author.person.partner
        if not same or rng.random() < 0.02:
            partner, mentor = author.person.partner, _mentor(plan, author.person.partner)
            since = next(d for d in (days[0], day - DAY, day) if d in days and plan.by(d) is author)
            plan.put(author.mentor(since if not same else day, mentor, ends_previous=same))
        plan.put(author.mentoring(day, mentor, number, plan.choice(MENTORING)))


def _mentor(plan: Planner, partner: str) -> str:
    size = {"quillmarsh": 3532, "emberfold": 1060, "tarnwick": 706}.get(partner, 250)
    number = plan.author.studio.rng.randint(0, size // (4 * TRAINEES_TO_A_MENTOR))
    return plan.author.studio.member(partner, "mentor", number)


def _attempts(plan: Planner) -> list[tuple[str, int, str]]:
    """Unit, attempt and outcome of every decision up to a completion."""
    rng, found = plan.author.studio.rng, []
    for unit in UNITS:
        attempts = 1 + sum(rng.random() < SHARE_REFERRED for _ in range(2))
        final = "passed"
        if not plan.life.person.passes and unit == UNITS[-1]:
            final = rng.choice(("not_passed", "referred"))
            attempts = MAX_ATTEMPTS if final == "referred" else attempts
        found += [(unit, attempt, "referred") for attempt in range(1, attempts)]
        found.append((unit, attempts, final))
    return found


def _assessment(plan: Planner) -> None:
    """Portfolios and decisions: all up to a completion; some before a withdrawal."""
    rng, life = plan.author.studio.rng, plan.life
    completes = any(event.fact == "completed" for event in life.events)
    days = plan.firm[len(plan.firm) // 5 :]
    attempts = _attempts(plan) if completes else [(UNITS[0], 1, rng.choice(("passed", "referred")))]
    if not completes and (len(days) < 50 or rng.random() < 0.4):
        return
    chosen = sorted(rng.sample(days, 2 * len(attempts)))
    last = None
    for i, (unit, attempt, outcome) in enumerate(attempts):
        day, decided = chosen[2 * i], chosen[2 * i + 1]
        plan.put(plan.by(day).submitted(day, unit, attempt))
        if completes or rng.random() < 0.6:
            last = plan.put(plan.by(decided).decided(decided, unit, attempt, outcome))
    if completes and last is not None and rng.random() < 0.3:
        named = {"final_decision_id": last.id}
        life.events = [e.again(e.kind, data=e.data | named) if e.fact == "completed" else e for e in life.events]


def follow(author: Author, life: Life) -> None:
    """Adds the course to a life."""
    plan = planner(author, life)
    if not plan.days:
        return
    _sessions(plan)
    _mentoring(plan)
    if plan.firm:
        _assessment(plan)
    if life.events[0].kind == "held" and life.kind == "held":
        _some_before_registration(author, life)


def _some_before_registration(author: Author, life: Life) -> None:
    """Sends the first few of the course ahead of the registration too."""
    course = [event for event in life.events if event.fact in COURSE][: author.studio.rng.randint(0, 6)]
    rest = [event for event in life.events if event not in course]
    number = next(i for i, event in enumerate(rest) if event.fact == "registered")
    life.events = [*rest[:number], *(event.again("held") for event in course), *rest[number:]]

"""The synthetic reference data: cohorts, partnerships, settings, code lists, places.

Windows, lengths and partner names are assumptions; starts and sizes are those of figures.md a4; names and
codes of local authorities are open reference data (as of April 2023).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

from senconet.demonstration.model import LEAD, Body, Partner, Reference

PRIVATE = "Private group-based providers"
VOLUNTARY = "Voluntary group-based providers"
CHILDMINDERS = "Childminders"
UNCLASSIFIED = "School, college, LA and other unclassified group-based providers"
PROVIDER_TYPES = (PRIVATE, VOLUNTARY, CHILDMINDERS, UNCLASSIFIED)
PROGRAMME_OPENS = date(2022, 8, 1)
LEAVES_ON = date(2023, 6, 27)  # the leaver's last day: its last cohort still registers for three days
WITHDRAWALS, DEFERRALS = "withdrawal-2026.1", "deferral-2026.1"


@dataclass(frozen=True, slots=True)
class CohortPlan:
    """A cohort's windows and its number of registrations (figures.md a4)."""

    code: str
    opens: date
    closes: date
    starts: date
    months: int
    registrations: int


@dataclass(frozen=True, slots=True)
class Session:
    """A part of a cohort's course, and its day."""

    code: str
    activity: str
    on: date


ACTIVITIES = ("facilitated_session", "self_guided_study", "enrichment", "community_of_practice")
SESSIONS = 12  # of a cohort, the first on the second day, then every nine days
UNITS, MAX_ATTEMPTS = ("unit-1", "unit-2"), 3


def sessions(plan: CohortPlan) -> tuple[Session, ...]:
    """The sessions of a cohort: the activities in turn, within the first hundred days."""
    return tuple(
        Session(f"{plan.code}-s{i + 1:02d}", ACTIVITIES[i % 4], plan.starts + timedelta(days=1 + 9 * i))
        for i in range(SESSIONS)
    )


COHORTS = (
    CohortPlan("2022-october", date(2022, 8, 1), date(2022, 10, 21), date(2022, 10, 17), 4, 423),
    CohortPlan("2023-january", date(2022, 10, 3), date(2023, 1, 13), date(2023, 1, 9), 4, 560),
    CohortPlan("2023-march", date(2022, 12, 5), date(2023, 3, 10), date(2023, 3, 6), 4, 640),
    CohortPlan("2023-may", date(2023, 2, 6), date(2023, 5, 5), date(2023, 5, 2), 4, 700),
    CohortPlan("2023-june", date(2023, 4, 3), date(2023, 6, 30), date(2023, 6, 26), 4, 620),
    CohortPlan("2023-september", date(2023, 6, 19), date(2023, 9, 15), date(2023, 9, 11), 4, 860),
    CohortPlan("2023-november", date(2023, 8, 21), date(2023, 11, 10), date(2023, 11, 6), 6, 900),
    CohortPlan("2024-january", date(2023, 10, 16), date(2024, 1, 12), date(2024, 1, 8), 6, 880),
    CohortPlan("2024-february", date(2023, 11, 27), date(2024, 2, 23), date(2024, 2, 19), 6, 760),
    CohortPlan("2024-march", date(2024, 1, 2), date(2024, 3, 31), date(2024, 3, 25), 6, 721),
)
LEAVER_COHORTS = 5

PARTNERS = (
    (Partner("quillmarsh", "Quillmarsh Learning Network"), 3532),
    (Partner("emberfold", "Emberfold Nursery Association"), 1060),
    (Partner("tarnwick", "Tarnwick Speech and Play"), 706),
    (Partner("oakenbrae", "Oakenbrae Day Nurseries"), 353),
    (Partner("lindlemere", "Lindlemere Childcare Foundation"), 283),
    (Partner("brackwater", "Brackwater City Council"), 283),
    (Partner("dunmarrow", "Dunmarrow County Council"), 283),
    (Partner("fennhollow", "Fennhollow County Council"), 212),
    (Partner("stavering", "Stavering and Orle Council"), 211),
    (Partner("pipplewood-nurseries", "Pipplewood Nurseries"), 141),
)
LEAVER = "lindlemere"
LEAD_PARTNER = Partner(LEAD, "Programme lead (synthetic)")

WITHDRAWAL_ITEMS = (
    ("workload_too_high", "capacity_or_time", "insufficient-capacity-to-undertake-programme"),
    ("no_time_in_working_hours", "capacity_or_time", "insufficient-capacity"),
    ("staffing_in_setting", "setting", "change-in-school-circumstances"),
    ("setting_leadership_changed", "setting", "change-in-school-leadership"),
    ("left_setting_or_role", "setting", "personal-reason-moving-school"),
    ("left_sector", "setting", "change-in-career"),
    ("health_or_pregnancy", "personal", "personal-reason-health-or-pregnancy-related"),
    ("family_or_other_personal", "personal", "personal-reason-other"),
    ("priorities_changed", "personal", "change-in-developmental-or-personal-priorities"),
    ("content", "programme", "quality-of-programme-content-not-suitable"),
    ("structure", "programme", "quality-of-programme-structure-not-suitable"),
    ("facilitation", "programme", "quality-of-programme-facilitation-not-effective"),
    ("access_or_technical", "programme", "quality-of-programme-accessibility"),
    ("not_right_for_role", "programme", None),
    ("commitment_unclear", "programme", None),
    ("assessment_requirements_not_met", "assessment", None),
    ("stopped_responding", "unknown", "disengaged-and-unresponsive"),
    ("other", "unknown", None),
    ("not_known", "unknown", None),
)
DEFERRAL_ITEMS = (
    ("bereavement", "personal"),
    ("long_term_sickness", "personal"),
    ("parental_leave", "personal"),
    ("career_break", "personal"),
    ("other", "unknown"),
    ("staffing_in_setting", "setting"),
)
REFUSED = (("started-in-error", "use_void"), ("changed-lead-provider", "use_transfer"))
PREDECESSORS = {
    "E06000063": ("E10000006", "Cumbria"),
    "E06000064": ("E10000006", "Cumbria"),
    "E06000065": ("E10000023", "North Yorkshire"),
    "E06000066": ("E10000027", "Somerset"),
}  # codes valid up to 31 March 2023


@dataclass(frozen=True, slots=True)
class Authority:
    """A local authority and its region."""

    code: str
    name: str
    region_code: str
    region: str


def authorities() -> tuple[Authority, ...]:
    """The 153 local authorities of England."""
    text = files("senconet.demonstration").joinpath("local_authorities.csv").read_text("utf-8")
    return tuple(
        Authority(row["la_code"], row["la_name"], row["region_code"], row["region_name"])
        for row in csv.DictReader(text.splitlines())
    )


def cohort_bodies() -> tuple[Body, ...]:
    """One body a cohort."""
    return tuple(
        {
            "cohort_code": plan.code,
            "opens": plan.opens.isoformat(),
            "registration_closes": plan.closes.isoformat(),
            "starts": plan.starts.isoformat(),
            "late_until": "2030-12-31",
            "schedule_months": plan.months,
            "eligible_provider_types": list(PROVIDER_TYPES),
            "level3_required": True,
            "completion_requires": "any_decision",
            "reinstatement_days": 90,
            "units": list(UNITS),
            "max_attempts": MAX_ATTEMPTS,
            "sessions": [
                {"session_id": session.code, "activity_type": session.activity, "on": session.on.isoformat()}
                for session in sessions(plan)
            ],
            "mentoring_minimum": 3,
            "mentoring_minutes": {"least": 20, "most": 90},
        }
        for plan in COHORTS
    )


def partnership_bodies() -> tuple[Body, ...]:
    """One body a partner and cohort; the leaver has the first five cohorts only, up to its last day."""
    bodies = []
    for partner, _ in PARTNERS:
        leaves = partner.code == LEAVER
        for plan in COHORTS[:LEAVER_COHORTS] if leaves else COHORTS:
            end = LEAVES_ON.isoformat() if leaves else None
            periods = [{"valid_from": "2022-07-01", "valid_to": end}]
            bodies.append({"partner_code": partner.code, "cohort_code": plan.code, "periods": periods})
    return tuple(bodies)


def code_list_bodies() -> tuple[Body, ...]:
    """The two lists of reasons, valid from the programme's first day."""
    dates = {"valid_from": PROGRAMME_OPENS.isoformat(), "valid_to": None}
    withdrawals = [
        {"code": code, "group": group, "npq_equivalent": npq} | dates for code, group, npq in WITHDRAWAL_ITEMS
    ]
    deferrals = [{"code": code, "group": group, "npq_equivalent": None} | dates for code, group in DEFERRAL_ITEMS]
    refused = [{"code": code, "use": use} for code, use in REFUSED]
    return (
        {"code_list": WITHDRAWALS, "kind": "withdrawal", "items": withdrawals, "refused": refused},
        {"code_list": DEFERRALS, "kind": "deferral", "items": deferrals, "refused": []},
    )


@dataclass(frozen=True, slots=True)
class SettingPlan:
    """An invented setting; `known_from`: the day the reference data first knows it."""

    urn: str
    authority: Authority
    provider_type: str
    group: str | None
    known_from: date


def setting_body(plan: SettingPlan) -> Body:
    """A setting with its periods: two where the local authority's code changed in April 2023."""
    change = date(2023, 4, 1)
    old = PREDECESSORS.get(plan.authority.code)
    spans: list[tuple[date, date | None, str, str]] = [
        (plan.known_from, None, plan.authority.code, plan.authority.name)
    ]
    if old is not None and plan.known_from < change:
        spans = [
            (plan.known_from, change - timedelta(days=1), *old),
            (change, None, plan.authority.code, plan.authority.name),
        ]
    periods = [
        {
            "valid_from": start.isoformat(),
            "valid_to": None if end is None else end.isoformat(),
            "la_code": code,
            "la_name": name,
            "region_code": plan.authority.region_code,
            "region_name": plan.authority.region,
            "provider_type": plan.provider_type,
            "group_code": plan.group,
        }
        for start, end, code, name in spans
    ]
    return {"setting_urn": plan.urn, "periods": periods}


def reference(settings: Iterable[SettingPlan]) -> Reference:
    """All reference data for these settings."""
    return Reference(
        cohorts=cohort_bodies(),
        partnerships=partnership_bodies(),
        settings=tuple(setting_body(plan) for plan in settings),
        code_lists=code_list_bodies(),
        manifest={"ruleversion": "synthetic-2026.1", "notice": "Synthetic data"},
    )


def write(found: Reference, directory: Path) -> None:
    """Writes the bodies as JSON Lines, one a line, and the manifest."""
    directory.mkdir(parents=True, exist_ok=True)
    bodies = {
        "cohorts": found.cohorts,
        "partnerships": found.partnerships,
        "settings": found.settings,
        "code-lists": found.code_lists,
    }
    for name, items in bodies.items():
        lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
        (directory / f"{name}.jsonl").write_text(lines, "utf-8")
    (directory / "manifest.json").write_text(json.dumps(found.manifest, indent=2) + "\n", "utf-8")

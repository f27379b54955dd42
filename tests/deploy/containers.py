"""Reading docker-compose.yml and the Dockerfile: what containers are told, and what their images hold."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from senconet.local.service import PROGRAMS
from services.mentoring.app import MentoringSettings
from services.reporting.server import ServerSettings
from shared.settings import PREFIX, Settings
from tests.architecture.source import ROOT
from tests.deploy import alerts

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
SETTINGS: Mapping[str, type[Settings]] = {
    **{program.name: Settings for program in PROGRAMS},
    "mentoring": MentoringSettings,
    "reporting-server": ServerSettings,
}
"""The class by which each program reads its environment."""

_INTERPOLATED = re.compile(r"\$\{(\w+)[^}]*\}")
_PINNED = re.compile(r".+:[^:]*\d+\.\d+[^:]*")
_STAGE = re.compile(r"^FROM (\S+) AS (\S+)$", re.MULTILINE)


def services_of(compose: Path) -> dict[str, Any]:
    """The containers of a compose file, by name; what is merged into them is."""
    found: dict[str, Any] = alerts.read(compose)["services"]
    return found


def interpolated(compose: Path) -> set[str]:
    """The variables that a compose file takes from its environment."""
    return set(_INTERPOLATED.findall(compose.read_text("utf-8")))


def misunderstood(compose: Path) -> dict[str, set[str]]:
    """Per program, the variables that it needs and is not told, and those that it is told and does not read."""
    told = services_of(compose)
    found = {}
    for name, settings in SETTINGS.items():
        fields = {f"{PREFIX}{field.upper()}": info for field, info in settings.model_fields.items()}
        given = set(told.get(name, {}).get("environment", {}))
        needed = {variable for variable, info in fields.items() if info.is_required()}
        found[name] = (needed - given) | (given - fields.keys())
    return {name: variables for name, variables in found.items() if variables}


def unpinned(compose: Path, dockerfile: Path) -> set[str]:
    """The images of others that are named without a version."""
    bases = {base for base, _ in _STAGE.findall(dockerfile.read_text("utf-8"))} - set(stages_of(dockerfile))
    images = {service["image"] for service in services_of(compose).values() if "build" not in service}
    return {image for image in images | bases if not _PINNED.fullmatch(image)}


def stages_of(dockerfile: Path) -> dict[str, list[str]]:
    """The instructions of each stage, continued lines joined."""
    text = dockerfile.read_text("utf-8").replace("\\\n", " ")
    _, *parts = _STAGE.split(text)
    bodies = zip(parts[1::3], parts[2::3], strict=True)
    return {
        name: [line for line in body.splitlines() if line and not line.startswith(("#", " "))] for name, body in bodies
    }


def code_in(stage: list[str]) -> set[str]:
    """What a stage copies from the repository."""
    copied = [line.split()[1:-1] for line in stage if line.startswith("COPY ") and "--from=" not in line]
    return {source for sources in copied for source in sources}


def runs_as_root(stage: list[str]) -> bool:
    """Whether a stage ends as the superuser."""
    users = [line.split()[1] for line in stage if line.startswith("USER ")]
    return not users or users[-1].split(":")[0] in {"0", "root"}


def accepted_by_hadolint(dockerfile: Path) -> bool:
    """Whether the linter of Dockerfiles finds nothing."""
    return _succeeds(str(Path(sys.executable).with_name("hadolint")), str(dockerfile))


def accepted_by_schema(compose: Path) -> bool:
    """Whether a compose file is as the Compose Specification says."""
    return _succeeds(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(compose))


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, timeout=120, check=False).returncode == 0

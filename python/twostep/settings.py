"""Settings of a job: arguments of `twostep.init`, else the environment, else the defaults."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import urlsplit

Mode = Literal["online", "offline", "disabled"]
Steering = Literal["auto", "approve", "advisory", "off"]

DEFAULT_SERVER = "http://127.0.0.1:7317"
BUDGET_MIN = 20
_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class SettingError(ValueError):
    """A setting that is not understood; the text names it, its value and what is allowed."""


@dataclass(frozen=True)
class Settings:
    """What a run needs to know before it begins. Steps are optimizer steps, rates those of the first parameter group."""

    server_url: str
    token: str | None
    run_id: str
    project: str
    mode: Mode
    spool: Path
    steering: Steering
    budget_steps: int | None
    first_step: int
    warmup_steps: int | None
    name: str | None
    tags: tuple[str, ...]
    config: Mapping[str, Any]
    resume: bool


def new_run_id() -> str:
    """Unique without asking anybody: time in microseconds and four random bytes."""
    return f"run-{time.time_ns() // 1000:x}-{os.urandom(4).hex()}"


def read_settings(environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Raises SettingError. `None` among `given` means "not given"."""
    source = os.environ if environment is None else environment

    def setting(name: str, variable: str, default: Any) -> Any:
        value = given.get(name)
        if value is None:
            value = source.get(variable) or None
        return default if value is None else value

    run_id = setting("run_id", "TWOSTEP_RUN_ID", None)
    if run_id is not None and not (isinstance(run_id, str) and _ID.fullmatch(run_id)):
        raise SettingError(f"run_id must be 1 to 128 letters, digits, '.', '_' or '-', got {run_id!r}")
    server = str(setting("server_url", "TWOSTEP_SERVER_URL", DEFAULT_SERVER)).rstrip("/")
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingError(f"server_url must be http://host:port or https://host, got {server!r}")
    return Settings(
        server_url=server,
        token=setting("token", "TWOSTEP_TOKEN", None),
        run_id=run_id or new_run_id(),
        project=str(setting("project", "TWOSTEP_PROJECT", "default")),
        mode=cast(Mode, _one_of("mode", setting("mode", "TWOSTEP_MODE", "online"), get_args(Mode))),
        spool=Path(setting("spool_dir", "TWOSTEP_SPOOL_DIR", Path(tempfile.gettempdir()) / "twostep-spool")),
        steering=cast(Steering, _one_of("steering", given.get("steering") or "auto", get_args(Steering))),
        budget_steps=_count("budget_steps", given.get("budget_steps"), BUDGET_MIN),
        first_step=_count("first_step", given.get("first_step"), 0) or 0,
        warmup_steps=_count("warmup_steps", given.get("warmup_steps"), 0),
        name=given.get("name"),
        tags=tuple(str(tag) for tag in given.get("tags") or ()),
        config=dict(given.get("config") or {}),
        resume=run_id is not None,
    )


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise SettingError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
    return str(value)


def _count(name: str, value: Any, least: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SettingError(f"{name} must be a whole number of {least} or more, got {value!r}")
    return value

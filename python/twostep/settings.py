"""Settings of a job: arguments of `twostep.init`, else the environment, else the defaults."""

from __future__ import annotations

import math
import os
import re
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import urlsplit

Mode = Literal["online", "offline", "disabled"]
Steering = Literal["auto", "approve", "advisory", "off"]

DEFAULT_SERVER = "http://127.0.0.1:7317"
BUDGET_MIN = 20
NAME_MAX = 128
TAGS_MAX = 32
CONFIG_MAX = 100
KEY_MAX = 64
TEXT_MAX = 1_000
STEP_MAX = 10**12
_ID = re.compile(r"(?!import$)[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_TOKEN = re.compile(r"[\x21-\x7e]+")


class SettingError(ValueError):
    """A setting that is not understood; the text names it, its value and what is allowed."""


@dataclass(frozen=True)
class Settings:
    """What a run needs to know before it begins. Steps are optimizer steps, rates those of the first parameter group."""

    server_url: str
    token: str | None = field(repr=False)
    run_id: str
    project: str
    mode: Mode
    spool: Path
    steering: Steering
    budget_steps: int | None
    first_step: int
    warmup_steps: int | None
    tokens_per_step: int | None
    name: str | None
    tags: tuple[str, ...]
    config: Mapping[str, str | int | float | bool | None]
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
        raise SettingError(
            f"run_id must be 1 to 128 letters, digits, '.', '_' or '-', beginning with a letter or digit, and not 'import', "
            f"got {run_id!r}"
        )
    spool = setting("spool_dir", "TWOSTEP_SPOOL_DIR", _default_spool())
    if not isinstance(spool, (str, os.PathLike)):
        raise SettingError(f"spool_dir must be a path, got {spool!r}")
    tokens_per_step = _count("tokens_per_step", given.get("tokens_per_step"), 1)
    return Settings(
        server_url=_server(setting("server_url", "TWOSTEP_SERVER_URL", DEFAULT_SERVER)),
        token=_token(setting("token", "TWOSTEP_TOKEN", None)),
        run_id=run_id or new_run_id(),
        project=_text("project", setting("project", "TWOSTEP_PROJECT", "default")),
        mode=cast(Mode, _one_of("mode", setting("mode", "TWOSTEP_MODE", "online"), get_args(Mode))),
        spool=Path(spool),
        steering=cast(Steering, _one_of("steering", given.get("steering") or "auto", get_args(Steering))),
        budget_steps=_budget(given.get("budget_steps"), given.get("budget_tokens"), tokens_per_step),
        first_step=_count("first_step", given.get("first_step"), 0) or 0,
        warmup_steps=_count("warmup_steps", given.get("warmup_steps"), 0),
        tokens_per_step=tokens_per_step,
        name=None if given.get("name") is None else _text("name", given["name"]),
        tags=_tags(given.get("tags")),
        config=_config(given.get("config")),
        resume=run_id is not None,
    )


def _default_spool() -> Path:
    """Of each user another one: the folder for temporary files may be everybody's."""
    user = f"-{os.getuid()}" if hasattr(os, "getuid") else ""
    return Path(tempfile.gettempdir()) / f"twostep-spool{user}"


def _budget(steps: Any, tokens: Any, tokens_per_step: int | None) -> int | None:
    if tokens is None:
        return _count("budget_steps", steps, BUDGET_MIN)
    if steps is not None:
        raise SettingError(f"budget_tokens or budget_steps, not both: got {tokens!r} and {steps!r}")
    if tokens_per_step is None:
        raise SettingError("budget_tokens needs tokens_per_step, the tokens of an update at the beginning")
    counted = _count("budget_tokens", tokens, BUDGET_MIN * tokens_per_step)
    return None if counted is None else round(counted / tokens_per_step)


def _server(value: Any) -> str:
    url = str(value).rstrip("/")
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        is_right = False
    if not is_right or any(character <= " " for character in url):
        shown = re.sub(r"//.*@", "//…@", str(value))
        raise SettingError(f"server_url must be http://host:port or https://host, got {shown!r}")
    return url


def _token(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        # Its value is a secret, also where it is wrong.
        raise SettingError("token must be a text of visible ASCII characters, got another one")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= NAME_MAX:
        raise SettingError(f"{name} must be a text of 1 to {NAME_MAX} characters, got {value!r}")
    return value


def _tags(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise SettingError(f"tags must be a list of texts, got {value!r}")
    tags = tuple(_text(f"tags[{i}]", tag) for i, tag in enumerate(value))
    if len(tags) > TAGS_MAX:
        raise SettingError(f"tags must be {TAGS_MAX} or fewer, got {len(tags)}")
    return tags


def _config(value: Any) -> dict[str, str | int | float | bool | None]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise SettingError(f"config must be a mapping, got {value!r}")
    if len(value) > CONFIG_MAX:
        raise SettingError(f"config must hold {CONFIG_MAX} entries or fewer, got {len(value)}")
    for key in value:
        if not isinstance(key, str) or not 1 <= len(key) <= KEY_MAX:
            raise SettingError(f"config must have keys of 1 to {KEY_MAX} characters, got {key!r}")
    return {key: _plain(entry) for key, entry in value.items()}


def _plain(value: Any) -> str | int | float | bool | None:
    """What JSON can hold as it is, all else as a text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and math.isfinite(value) and abs(value) <= 2**53:
        return value
    try:
        return str(value)[:TEXT_MAX]
    except Exception:  # noqa: BLE001 a stranger's __str__
        return type(value).__name__


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise SettingError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
    return value


def _count(name: str, value: Any, least: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= STEP_MAX:
        raise SettingError(f"{name} must be a whole number from {least} to 10^12, got {value!r}")
    return value

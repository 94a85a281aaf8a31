"""A person's own Amplifier settings: what an entry of them points to is put to the test."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from servers.attach import Wish, attached, normal_url
from servers.errors import InvalidInstance, InvalidServerFile
from servers.instances import Entry, mount_name, resolve_instance
from servers.spec import AttachedSpec

VARIABLE = re.compile(r"\$\{(\w+)\}")


def load_instance(file: Path, name: str, environ: Mapping[str, str] = os.environ) -> AttachedSpec:
    """The server that the entry `name` of a `settings.yaml` points to, with that entry's config.

    Raises UnknownInstance, InvalidInstance, InvalidServerFile or CannotReach.
    """
    entry = resolve_instance(read_entries(file), name)
    config = {key: _expand(value, environ) for key, value in (entry.get("config") or {}).items()}
    if not config.get("base_url"):
        raise InvalidInstance(
            f"the entry {mount_name(entry)!r} has no base_url: it goes to OpenAI itself",
            "name an entry that points to a server of yours",
        )
    wish = Wish(url=normal_url(str(config["base_url"])), model=config.get("default_model") or "")
    spec = attached(wish, config.get("api_key") or None)
    return spec.model_copy(update={"config": config})


def read_entries(file: Path) -> list[Entry]:
    """The provider entries of a settings file, in its order."""
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        entries = (document.get("config") or {}).get("providers") or []
    except OSError as error:
        raise InvalidInstance(
            f"{file} can't be read: {error.strerror}", "--settings FILE"
        ) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidServerFile(file, line, "YAML", str(error.problem), "correct it") from None
    except AttributeError:
        entries = None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidInstance(f"{file} holds no list config.providers", "is it a settings.yaml?")
    return list(entries)


def _expand(value: Any, environ: Mapping[str, str]) -> Any:
    """`${VAR}` as Amplifier reads it: a variable that isn't set is empty."""
    if not isinstance(value, str):
        return value
    return VARIABLE.sub(lambda match: environ.get(match[1], ""), value)

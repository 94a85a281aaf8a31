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

#: As amplifier-app-cli has it: a name, and what to take where it is not set.
VARIABLE = re.compile(r"\$\{([^}:]+)(?::([^}]*))?\}")


def load_instance(file: Path, name: str, environ: Mapping[str, str] = os.environ) -> AttachedSpec:
    """The server that the entry `name` of a `settings.yaml` points to, with that entry's config.

    The config's `base_url` is the entry's own; `/v1` is added for who asks without a module.
    Raises UnknownInstance, InvalidInstance, InvalidServerFile or CannotReach.
    """
    entry = resolve_instance(read_entries(file), name)
    config = _expand(entry.get("config") or {}, environ)
    if not isinstance(config, dict):
        raise InvalidInstance(
            f"the config of the entry {mount_name(entry)!r} holds no keys", "write `key: value`"
        )
    url = str(config.get("base_url") or "").strip().removesuffix("/")
    if not url:
        raise InvalidInstance(
            f"the entry {mount_name(entry)!r} has no base_url: it goes to OpenAI itself",
            "name an entry that points to a server of yours",
        )
    # Unquoted, a number may stand where a text is meant.
    wish = Wish(url=normal_url(url), model=str(config.get("default_model") or ""))
    spec = attached(wish, str(config.get("api_key") or "") or None)
    return spec.model_copy(update={"config": config | {"base_url": url}})


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
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInstance(f"{file} is no text in UTF-8: {error}", "save it as UTF-8") from None
    except AttributeError:
        entries = None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidInstance(f"{file} holds no list config.providers", "is it a settings.yaml?")
    return list(entries)


def _expand(value: Any, environ: Mapping[str, str]) -> Any:
    """`${VAR}` and `${VAR:default}` as Amplifier reads them, at any depth."""
    match value:
        case str():
            return VARIABLE.sub(lambda found: environ.get(found[1], found[2] or ""), value)
        case dict():
            return {key: _expand(one, environ) for key, one in value.items()}
        case list():
            return [_expand(one, environ) for one in value]
    return value

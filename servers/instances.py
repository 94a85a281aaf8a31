"""Which provider entry of an Amplifier settings file a name means.

An application that takes `-p NAME` needs the same answer, so this is public, and knows nothing
of the suite. Entries are as `config.providers` holds them: `id` or `instance_id` (the same thing
under two names), `module`, `config`. See microsoft/amplifier#246.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from servers.errors import InvalidInstance, UnknownInstance

Entry = Mapping[str, Any]
PREFIX = "provider-"
DEFAULT_PRIORITY = 100


def resolve_instance(entries: Sequence[Entry], name: str) -> Entry:
    """The entry that `name` means; the first of these rules that finds one decides.

    1. its `id` or `instance_id` is the name;
    2. it has neither, and its module is `name` or `provider-name`: so it is mounted under it;
    3. its module is the name, whatever its id: the lowest `priority` wins, then file order.

    Never "the last one wins". UnknownInstance lists what there is; InvalidInstance where an entry
    has two names, or two entries have one.
    """
    _ensure_distinct([instance_id(entry) for entry in entries])
    named = [entry for entry in entries if instance_id(entry) == name]
    same_module = sorted((e for e in entries if _is_of_module(e, name)), key=_priority)
    unnamed = [entry for entry in same_module if not instance_id(entry)]
    for found in (named, unnamed, same_module):
        if found:
            return found[0]
    raise UnknownInstance(f"no provider entry is called {name!r}", _what_there_is(entries))


def instance_id(entry: Entry) -> str:
    """What it is called; nothing for the default instance of its module."""
    first, second = str(entry.get("id") or ""), str(entry.get("instance_id") or "")
    if first and second and first != second:
        raise InvalidInstance(
            f"a provider entry has the id {first!r} and the instance_id {second!r}",
            "they are the same thing: keep id",
        )
    return first or second


def mount_name(entry: Entry) -> str:
    """The name under which amplifier-core mounts it."""
    return instance_id(entry) or str(entry.get("module", "")).removeprefix(PREFIX)


def _ensure_distinct(names: Sequence[str]) -> None:
    if repeated := {name for name in names if name and names.count(name) > 1}:
        raise InvalidInstance(
            f"more than one provider entry has the id {min(repeated)!r}", "give each its own id"
        )


def _is_of_module(entry: Entry, name: str) -> bool:
    return str(entry.get("module", "")) in (name, f"{PREFIX}{name}")


def _priority(entry: Entry) -> int:
    """Lowest wins; a number in quotes counts as a number."""
    value = (entry.get("config") or {}).get("priority", DEFAULT_PRIORITY)
    try:
        return int(value)
    except (TypeError, ValueError):
        raise InvalidInstance(
            f"the priority of {mount_name(entry)!r} is {value!r}", "a priority is a whole number"
        ) from None


def _what_there_is(entries: Sequence[Entry]) -> str:
    if not entries:
        return "the file has no provider entries, under config: providers:"
    return f"there are: {', '.join(mount_name(entry) for entry in entries)}"

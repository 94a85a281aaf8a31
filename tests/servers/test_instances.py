"""A name means one provider entry, the same one that amplifier-core mounts under it."""

import importlib.metadata
from typing import Any

import pytest
from amplifier_core._session_init import initialize_session
from amplifier_core.loader import ModuleLoader
from amplifier_core.testing import MockCoordinator

from servers import InvalidInstance, UnknownInstance, mount_name, resolve_instance

CLOUD = {"module": "provider-openai", "config": {"api_key": "sk-test"}}
LOCAL = {"id": "local", "module": "provider-openai", "config": {"base_url": "http://h/v1"}}
SPARE = {"instance_id": "spare", "module": "provider-openai", "config": {"priority": "4"}}
CLAUDE = {"module": "provider-anthropic"}
NAMED_OPENAI = {"id": "openai", "module": "provider-azure-openai"}
Entries = list[dict[str, Any]]


@pytest.mark.parametrize(
    ("entries", "name", "meant"),
    [
        ([CLOUD, LOCAL, SPARE], "local", LOCAL),
        ([CLOUD, LOCAL, SPARE], "spare", SPARE),
        ([CLOUD, LOCAL, SPARE], "openai", CLOUD),
        ([LOCAL, SPARE, CLOUD], "provider-openai", CLOUD),
        ([LOCAL, SPARE], "openai", SPARE),
        ([LOCAL, {**LOCAL, "id": "other"}], "openai", LOCAL),
        ([CLOUD, NAMED_OPENAI], "openai", NAMED_OPENAI),
        ([CLAUDE, CLOUD], "anthropic", CLAUDE),
    ],
)
def test_name_means_id_then_default_instance_then_module(
    entries: Entries, name: str, meant: dict[str, Any]
):
    assert resolve_instance(entries, name) is meant


def test_unknown_name_is_answered_with_those_there_are():
    with pytest.raises(UnknownInstance) as caught:
        resolve_instance([CLOUD, LOCAL, CLAUDE], "lokal")

    assert caught.value.hint == "there are: openai, local, anthropic"


@pytest.mark.parametrize(
    "entries",
    [
        [LOCAL, {**CLOUD, "id": "local"}],
        [{**LOCAL, "instance_id": "lokal"}],
        [{**CLOUD, "config": {"priority": "high"}}],
    ],
)
def test_entries_that_contradict_each_other_are_refused(entries: Entries):
    with pytest.raises(InvalidInstance):
        resolve_instance(entries, "openai")


class Loader(ModuleLoader):
    """Loads the real provider module, and empty ones for what a session needs besides."""

    async def load(self, module_id: str, config: Any = None, *_: Any, **__: Any) -> Any:
        """A mount function with the config bound to it."""
        found = importlib.metadata.entry_points(group="amplifier.modules", name=module_id)

        async def mount(coordinator: Any) -> Any:
            return await next(iter(found)).load()(coordinator, config) if found else None

        return mount


@pytest.mark.parametrize("entries", [[CLOUD, LOCAL], [LOCAL, CLOUD]])
async def test_core_mounts_both_instances_under_the_names_that_mean_them(entries: Entries):
    coordinator = MockCoordinator()
    coordinator.loader = Loader(coordinator=coordinator)
    plan = [
        {**entry, **({"instance_id": entry["id"]} if "id" in entry else {})} for entry in entries
    ]

    await initialize_session({"providers": plan}, coordinator, "session", None)
    mounted = coordinator.get("providers")

    assert set(mounted) == {"openai", "local"} == {mount_name(entry) for entry in entries}
    for name in mounted:
        config = resolve_instance(entries, name)["config"]
        assert mounted[name].config.get("base_url") == config.get("base_url")

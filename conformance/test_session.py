"""Sessions: the whole way, through amplifier-core, as an application goes it."""

from conformance.canned import BROKEN, NO_ROUTE_AND_RESET
from conformance.check import check
from conformance.mount import Mounted
from conformance.provider import ProviderAsker
from conformance.stand_in import always, facing, refusing, stand_in

TOOLS = ["tool-weather"]
#: With retries, which a fallback does without.
AUTO = {"use_responses_api": "auto", "max_retries": 2, "min_retry_delay": 0.01}
#: Question, call, what the tool said, and the answer.
LOOP = ["user", "assistant", "tool", "assistant"]


@check("session.tool-loop")
async def test_tool_loop(ask: ProviderAsker) -> None:
    """The answer holds what only the tool knew, and the tool ran once, whatever the mount name."""
    for name in (None, "local"):
        async with ask.session(tools=TOOLS, name=name) as mount:
            answer, roles = await _asked(mount)

        assert set(mount.providers) == {name or _own_name(ask)}
        assert "12 degrees, rain" in answer
        assert roles == LOOP


@check("session.side-by-side")
async def test_side_by_side(ask: ProviderAsker) -> None:
    """Both are mounted, under two names; the local one turns the loop, the cloud hears nothing."""
    async with stand_in(ask.base_url, always(BROKEN)) as far:
        config = {"api_key": "never-sent", "base_url": far.url, "max_retries": 0}
        cloud = {"module": ask.entry["module"], "config": config}
        async with ask.session(cloud, tools=TOOLS) as mount:
            answer, roles = await _asked(mount)

    assert far.asked == []
    assert set(mount.providers) == {_own_name(ask), "local"}
    assert "12 degrees, rain" in answer
    assert roles == LOOP


@check("session.fallback")
async def test_fallback(ask: ProviderAsker) -> None:
    """Where users met "ReadError (no message)", the loop turns and ends in the answer."""
    lacking = refusing("/responses", NO_ROUTE_AND_RESET)
    async with (
        facing(ask, lacking, **AUTO) as (other, stand),
        other.session(tools=TOOLS) as mount,
    ):
        answer, roles = await _asked(mount)

    assert [path.rpartition("/")[2] for path in stand.asked] == ["responses", *["completions"] * 2]
    assert "12 degrees, rain" in answer
    assert roles == LOOP
    assert not [name for _, name, _ in mount.events if name == "provider:retry"]


async def _asked(mount: Mounted) -> tuple[str, list[str]]:
    """The answer, and the roles of the history when it has come."""
    answer = await mount.execute("What is the weather in Oslo?")
    history = await mount.session.coordinator.get("context").get_messages()
    return answer, [message["role"] for message in history]


def _own_name(ask: ProviderAsker) -> str:
    """The name under which the module is mounted without an `instance_id`."""
    name: str = ask.entry["module"]
    return name.removeprefix("provider-")

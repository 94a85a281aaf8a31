"""Sessions: the whole way, through amplifier-core, as an application goes it."""

from conformance.check import check
from conformance.provider import ProviderAsker

#: Mounted, never asked: nothing listens there, so a question to it would end in an error.
CLOUD = {"api_key": "never-sent", "base_url": "http://127.0.0.1:9/v1", "max_retries": 0}


@check("session.tool-loop")
async def test_tool_loop(ask: ProviderAsker) -> None:
    """The answer holds what only the tool knew, and the tool ran once."""
    async with ask.session(tools=["tool-weather"]) as mount:
        answer = await mount.execute("What is the weather in Oslo?")
        history = await mount.session.coordinator.get("context").get_messages()

    assert "12 degrees, rain" in answer
    assert [message["role"] for message in history] == ["user", "assistant", "tool", "assistant"]


@check("session.side-by-side")
async def test_side_by_side(ask: ProviderAsker) -> None:
    """Both are mounted, under two names, and the local one answers."""
    cloud = {"module": ask.entry["module"], "config": CLOUD}
    async with ask.session(cloud) as mount:
        answer = await mount.execute("Repeat: tiger river")

    assert set(mount.providers) == {ask.entry["module"].removeprefix("provider-"), "local"}
    assert answer == "tiger river"

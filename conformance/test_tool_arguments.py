"""Arguments of tool calls: every type of JSON, and text as it was said."""

from conformance.ask import Asker
from conformance.check import check
from conformance.wire import WireAsker
from fixtures.tools import CONTACTS, FILES, HEAT, LIGHT, LIST, NOTE, READ, TIMER, WEATHER


@check("tools.no-arguments")
async def test_no_arguments(ask: Asker) -> None:
    """A tool without parameters is called with an empty object, and by its name with a hyphen."""
    reply = await ask("List the files.", tools=[READ, FILES])

    assert reply.call.name == "list-files"
    assert reply.call.arguments == {}


@check("tools.argument-types")
async def test_argument_types(ask: Asker) -> None:
    """A fraction, a truth value beside an enum, and null keep their types."""
    heat = await ask("Set the temperature to 21.5 degrees.", tools=[HEAT, LIGHT, TIMER])
    light = await ask("Turn off the light in the kitchen.", tools=[HEAT, LIGHT, TIMER])
    timer = await ask("Set a timer for 12 minutes.", tools=[HEAT, LIGHT, TIMER])

    assert heat.call.arguments == {"degrees": 21.5}
    assert light.call.arguments == {"room": "kitchen", "on": False}
    assert timer.call.arguments == {"minutes": 12, "label": None}


@check("tools.nested-arguments")
async def test_nested_arguments(ask: Asker) -> None:
    """An object in the object, a list, and a list of nothing."""
    contact = await ask("Save the contact Ana from Oslo.", tools=[CONTACTS, LIST])
    assert contact.call.arguments == {"contact": {"name": "Ana", "city": "Oslo"}}

    words = await ask("Make a list: tiger, river, lamp.", tools=[CONTACTS, LIST])
    nothing = await ask("Make an empty list.", tools=[CONTACTS, LIST])

    assert words.call.arguments == {"items": ["tiger", "river", "lamp"]}
    assert nothing.call.arguments == {"items": []}


@check("tools.unicode-arguments")
async def test_unicode_arguments(ask: Asker) -> None:
    """Accents, Chinese and an emoji of several code points arrive as they were written."""
    for text in ("café über", "東京 天気", "👍🏽 🚀"):
        reply = await ask(f"Save this note: {text}", tools=[NOTE, WEATHER])

        assert reply.call.arguments == {"text": text}


@check("tools.escaped-arguments")
async def test_escaped_arguments(ask: Asker) -> None:
    """Quotes and backslashes, which JSON must escape, arrive as they were written."""
    for text in ('tiger "river" lamp', "tiger\\river"):
        reply = await ask(f"Save this note: {text}", tools=[NOTE, WEATHER])

        assert reply.call.arguments == {"text": text}


@check("tools.strict")
async def test_strict(ask: Asker) -> None:
    """With `strict`, the only room of an enum stands where the prompt names another one."""
    parameters = LIGHT["parameters"]
    garage = {"type": "string", "enum": ["garage"]}
    bound = {
        **LIGHT,
        "parameters": {
            **parameters,
            "properties": {**parameters["properties"], "room": garage},
            "additionalProperties": False,
        },
        "strict": True,
    }
    reply = await ask("Turn off the light in the kitchen.", tools=[bound])

    assert reply.call.arguments == {"room": "garage", "on": False}


@check("tools.no-schema")
async def test_no_schema(ask: WireAsker) -> None:
    """A tool that says nothing of parameters takes none."""
    reply = await ask("Call refresh.", tools=[{"name": "refresh"}])

    assert reply.call.name == "refresh"
    assert reply.call.arguments == {}


@check("tools.referenced-schema")
async def test_referenced_schema(ask: Asker) -> None:
    """A part of the schema that stands under `$defs` is found by its `$ref`."""
    parameters = CONTACTS["parameters"]
    moved = {
        **CONTACTS,
        "parameters": {
            **parameters,
            "properties": {"contact": {"$ref": "#/$defs/contact"}},
            "$defs": {"contact": parameters["properties"]["contact"]},
        },
    }
    reply = await ask("Save the contact Ana from Oslo.", tools=[moved])

    assert reply.call.arguments == {"contact": {"name": "Ana", "city": "Oslo"}}

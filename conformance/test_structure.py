"""Structured output: answers that a program can read."""

from typing import Any

from conformance.answer import Answer
from conformance.ask import Asker
from conformance.check import check
from conformance.conversation import system
from conformance.outcome import about_form
from conformance.wire import WireAsker


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


#: OpenAI refuses `json_object` where no message has the word in it.
AS_JSON = system("Answer in JSON.")

PERSON = _object({"name": {"type": "string"}, "age": {"type": "integer"}})

#: A light that the model, left alone, would not name where it is asked for a red one.
GREEN = _object({"light": {"type": "string", "enum": ["green"]}})
#: A home that is in Lima, wherever the prompt puts it.
LIMA = _object(
    {
        "name": {"type": "string"},
        "address": _object({"city": {"type": "string", "enum": ["Lima"]}}),
    }
)
CLOUDS = {
    "type": "array",
    "items": {"type": "string", "enum": ["cloud"]},
    "minItems": 2,
    "maxItems": 2,
}
#: Values of its own, where the model still knows its way: lost, it writes spaces to the limit.
MEASURE = _object(
    {
        "value": {"type": "number", "enum": [7.5]},
        "checked": {"type": "boolean", "enum": [False]},
        "note": {"type": "null"},
    }
)
#: Prompt, schema, and what comes of the schema, not of the prompt.
KINDS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "Give me a list: tiger, river, lamp.",
        _object({"items": CLOUDS}),
        {"items": ["cloud", "cloud"]},
    ),
    ("Give me a home: Ana, Oslo.", LIMA, {"name": "Ana", "address": {"city": "Lima"}}),
    ("Give me a measure: 21.5.", MEASURE, {"value": 7.5, "checked": False, "note": None}),
]


@check("structure.json-schema")
async def test_json_schema(ask: Asker) -> None:
    """The schema shapes the answer, also where the prompt suggests another one."""
    person = await ask("Give me a person: Ana, 31.", schema=PERSON)
    forced = await ask("Give me a light: red.", schema=GREEN)

    assert person.json == {"name": "Ana", "age": 31}
    assert forced.json == {"light": "green"}


@check("structure.kinds")
async def test_kinds(ask: Asker) -> None:
    """A schema of each kind is held to where the prompt suggests something else."""
    for prompt, schema, value in KINDS:
        reply = await ask(prompt, schema=schema)

        assert reply.json == value


@check("structure.json-object")
async def test_json_object(ask: Asker) -> None:
    """Any object will do, but an object it must be, also where words were asked for."""
    person = await ask(AS_JSON, "Give me a person: Ana, 31.", schema={})
    forced = await ask(AS_JSON, "Repeat: tiger", schema={})

    assert isinstance(person.json, dict)
    assert isinstance(forced.json, dict)


@check("structure.text")
async def test_text(ask: WireAsker) -> None:
    """Asking for text changes nothing."""
    reply = await ask("Repeat: tiger river", response_format={"type": "text"})

    assert reply.text == "tiger river"


@check("structure.stream-same")
async def test_stream_same(ask: Asker) -> None:
    """The pieces of an answer that is held to a schema make the whole."""
    streamed = await ask("Give me a home: Ana, Oslo.", schema=LIMA)
    whole = await ask.whole("Give me a home: Ana, Oslo.", schema=LIMA)

    assert streamed.json["address"] == {"city": "Lima"}
    assert streamed.text == whole.text
    assert "".join(streamed.deltas) == whole.text


@check("structure.cut")
async def test_cut(ask: Asker) -> None:
    """A limit cuts JSON as it cuts text: the beginning comes, and is told to be cut."""
    whole = await ask("Give me a home: Ana, Oslo.", schema=LIMA)
    cut = await ask("Give me a home: Ana, Oslo.", schema=LIMA, max_tokens=4)

    assert whole.json["address"] == {"city": "Lima"}
    with about_form():
        assert cut.finish_reason == "length"
    assert whole.text.startswith(cut.text)
    assert cut.text != whole.text


@check("structure.unknown-format")
async def test_unknown_format(ask: WireAsker) -> None:
    """A format that nobody knows is refused."""
    answer = await _formatted(ask, {"type": "json_scheme"})

    assert answer.refusal.message


@check("structure.missing-schema")
async def test_missing_schema(ask: WireAsker) -> None:
    """A schema that was announced and not given is missed."""
    answer = await _formatted(ask, {"type": "json_schema"})

    assert answer.refusal.message


@check("structure.invalid-schema")
async def test_invalid_schema(ask: WireAsker) -> None:
    """A schema that is none is refused, and breaks nothing."""
    schema = {"name": "answer", "schema": {"type": "no such type"}}
    answer = await _formatted(ask, {"type": "json_schema", "json_schema": schema})

    assert answer.refusal.message


async def _formatted(ask: WireAsker, response_format: dict[str, Any]) -> Answer:
    return await ask.send("Give me a person: Ana, 31.", response_format=response_format)

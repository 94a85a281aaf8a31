"""Structured output: answers that a program can read."""

import json

from conformance.ask import Asker
from conformance.check import check

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}

#: A colour that the model, left alone, would never say here.
FORCED = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["green"]}},
    "required": ["colour"],
    "additionalProperties": False,
}


@check("structure.json-schema")
async def test_json_schema(ask: Asker) -> None:
    """The schema shapes the answer, even where the prompt doesn't suggest it."""
    person = await ask("Give me a person: Ana, 31.", schema=PERSON)
    forced = await ask("Repeat: tiger", schema=FORCED)

    assert json.loads(person.text) == {"name": "Ana", "age": 31}
    assert json.loads(forced.text) == {"colour": "green"}

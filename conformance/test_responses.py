"""Responses: the other protocol of OpenAI's, as far as the module speaks it with local servers."""

import json
from typing import Any

import httpx

from conformance.answer import Answer
from conformance.check import check
from conformance.conversation import parsed
from conformance.limited import FORTY, goes_on
from conformance.outcome import Unsupported, about_form, ensure_form
from conformance.response import Event, Response
from conformance.wire import WireAsker
from fixtures.tools import WEATHER
from reports import Mode

TOOL = {"type": "function", **WEATHER}
#: How a server says that it doesn't speak this protocol.
NO_ROUTE = {
    httpx.codes.NOT_FOUND,
    httpx.codes.METHOD_NOT_ALLOWED,
    httpx.codes.NOT_IMPLEMENTED,
}
#: The events of one answer that is text, in order; deltas may come more than once.
TEXT_EVENTS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


async def _respond(ask: WireAsker, asked: str | list[Any], **fields: Any) -> Response:
    """The whole response, which a stream's last event brings."""
    answer = await _post(ask, asked, **fields)
    if ask.mode is Mode.WHOLE:
        return Response.read(answer.text)
    last = _events(answer)[-1]
    return Response.read(json.dumps(last.response))


async def _stream(ask: WireAsker, asked: str | list[Any], **fields: Any) -> list[Event]:
    return _events(await _post(ask, asked, **fields))


def _events(answer: Answer) -> list[Event]:
    events = [Event.read(data) for data in answer.events]
    ensure_form(events, f"a stream without an event: {answer.text[:300]!r}")
    return events


async def _post(ask: WireAsker, asked: str | list[Any], **fields: Any) -> Answer:
    body = {"model": ask.model, "input": asked, "temperature": 0, "max_output_tokens": 256}
    stream = ask.mode is Mode.STREAM
    answer = await ask.post("responses", {**body, "stream": stream, **fields})
    if answer.status in NO_ROUTE:
        raise Unsupported(f"HTTP {answer.status} from POST /responses")
    answer.ensure_answered()
    return answer


@check("responses.text")
async def test_text(ask: WireAsker) -> None:
    """A message with the text, completed."""
    response = await _respond(ask, "Repeat: tiger river lamp")

    assert response.text == "tiger river lamp"
    assert response.status == "completed"


@check("responses.parts")
async def test_parts(ask: WireAsker) -> None:
    """A conversation of typed items, the assistant's with id and status, is remembered."""
    said = {"type": "output_text", "text": "Hello Ana.", "annotations": []}
    earlier = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    response = await _respond(
        ask, [_user("My name is Ana."), {**earlier, "content": [said]}, _user("What is my name?")]
    )

    assert response.text == "Ana"


def _user(text: str) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content}


@check("responses.instructions")
async def test_instructions(ask: WireAsker) -> None:
    """Instructions are what a system message is in Chat Completions."""
    told = "The secret word is plum."
    response = await _respond(ask, "What is the secret word?", instructions=told)

    assert response.text == "plum"


@check("responses.usage")
async def test_usage(ask: WireAsker) -> None:
    """Tokens add up, and both parts are broken down."""
    usage = (await _respond(ask, "Repeat: tiger river lamp")).usage

    assert usage is not None
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert usage.input_tokens_details is not None
    assert usage.output_tokens_details is not None


@check("responses.events")
async def test_events(ask: WireAsker) -> None:
    """Every event in its place, and the deltas make the text."""
    events = await _stream(ask, "Repeat: tiger river lamp")

    kinds = [event.type for event in events]
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert list(dict.fromkeys(kinds)) == TEXT_EVENTS
    again = {kind for kind in TEXT_EVENTS if kinds.count(kind) > 1}
    assert again <= {"response.output_text.delta"}
    assert "".join(deltas) == "tiger river lamp"


@check("responses.sequence")
async def test_sequence(ask: WireAsker) -> None:
    """Events are numbered, and say to which item and part they belong."""
    events = await _stream(ask, "Repeat: tiger river lamp")

    of_items = [event for event in events if ".output_" in event.type]
    of_parts = [event for event in events if ".content_part." in event.type]
    of_texts = [event for event in events if ".output_text." in event.type]
    first = events[0].sequence_number or 0
    numbers = list(range(first, first + len(events)))
    with about_form():
        assert [event.sequence_number for event in events] == numbers
    assert {event.output_index for event in of_items + of_parts} == {0}
    assert {event.content_index for event in of_parts + of_texts} == {0}


@check("responses.tool-call")
async def test_tool_call(ask: WireAsker) -> None:
    """A call is an item of the output, with the id that its result must carry."""
    response = await _respond(ask, "What is the weather in Oslo?", tools=[TOOL])

    assert response.call.name == "get_weather"
    assert parsed(response.call.arguments or "", "the arguments") == {"city": "Oslo"}
    with about_form():
        assert response.call.call_id


@check("responses.call-events")
async def test_call_events(ask: WireAsker) -> None:
    """The pieces of the arguments make what the last of their events says they are."""
    events = await _stream(ask, "What is the weather in Oslo?", tools=[TOOL])

    kind = "response.function_call_arguments"
    pieces = [event.delta for event in events if event.type == f"{kind}.delta"]
    done = [event.arguments for event in events if event.type == f"{kind}.done"]
    assert done == ["".join(pieces)]
    assert parsed(done[0], "the arguments") == {"city": "Oslo"}


@check("responses.tool-result")
async def test_tool_result(ask: WireAsker) -> None:
    """The result, under the call's own id, leads to the answer."""
    question = _user("What is the weather in Oslo?")
    call = (await _respond(ask, [question], tools=[TOOL])).call
    made = call.model_dump(include={"type", "call_id", "name", "arguments"})
    told = {"type": "function_call_output", "call_id": call.call_id, "output": "12 degrees, rain"}

    response = await _respond(ask, [question, made, told], tools=[TOOL])

    assert response.text == "It is 12 degrees, rain in Oslo."


@check("responses.previous")
async def test_previous(ask: WireAsker) -> None:
    """A response is built upon, or the server says that it keeps none; it doesn't just forget."""
    first = await _respond(ask, "My name is Ana.", store=True)
    question = {"model": ask.model, "input": "What is my name?", "temperature": 0}
    answer = await ask.post("responses", question | {"previous_response_id": first.id})

    answer.ensure_supported()
    assert Response.read(answer.text).text == "Ana"


@check("responses.format")
async def test_format(ask: WireAsker) -> None:
    """A schema shapes the answer, where the prompt suggests another one."""
    schema = {
        "type": "object",
        "properties": {"light": {"type": "string", "enum": ["green"]}},
        "required": ["light"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}
    response = await _respond(ask, "Give me a light: red.", text={"format": wanted})

    assert response.json == {"light": "green"}


@check("responses.incomplete")
async def test_incomplete(ask: WireAsker) -> None:
    """An answer that the limit cuts is told to be incomplete, and why."""
    response = await _respond(ask, FORTY, max_output_tokens=16)

    with about_form():
        assert response.usage is None or response.usage.output_tokens <= 16
        if response.status != "incomplete":
            more = await _respond(ask, FORTY, max_output_tokens=32)
            on = goes_on(response.text, more.text)
            assert not on, f"status {response.status!r}, but with room it goes on"
        else:
            assert response.incomplete_details is not None
            assert response.incomplete_details.reason == "max_output_tokens"
    assert response.status == "incomplete"

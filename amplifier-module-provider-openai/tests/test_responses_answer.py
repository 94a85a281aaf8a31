"""What comes back from the Responses API (contract §3.2), and calls that take several."""

from __future__ import annotations

from typing import Any

import pytest
from amplifier_core import llm_errors as kernel
from amplifier_core.message_models import Message, ThinkingBlock
from openai import AsyncOpenAI

from amplifier_module_provider_openai import OpenAIChatResponse, OpenAIProvider, stream_events
from amplifier_module_provider_openai import _response_handling as handling
from scripted_server import Answer, response, response_stream, sse

RESPONSES = "/responses"


@pytest.fixture
async def openai(server, coordinator, monkeypatch):
    """A provider that takes the scripted server for OpenAI."""

    class AtOpenAI(OpenAIProvider):
        @property
        def client(self):
            self._client = self._client or AsyncOpenAI(
                base_url=server.base_url, api_key="test-key", max_retries=0
            )
            return self._client

    config = {"max_retries": 0, "poll_interval": 0.01}
    provider = AtOpenAI("test-key", config=config, coordinator=coordinator)
    yield provider
    await provider.close()


@pytest.fixture
def answer_to(server, openai, say):
    """The module's answer to output items, not streamed."""

    async def ask(*output, **fields):
        server.on(RESPONSES, Answer.json(response(*output, **fields)))
        return await openai.complete(say(metadata={"stream": False}))

    return ask


def function_call(arguments="{}", **fields):
    return {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "look",
        "arguments": arguments,
        **fields,
    }


async def test_text_and_metadata(answer_to):
    answer = await answer_to(text="Hello")

    assert answer.text == "Hello"
    assert answer.finish_reason == "stop"
    assert answer.metadata["openai:response_id"] == "resp_1"
    assert answer.metadata["openai:status"] == "completed"
    assert answer.usage.cache_read_tokens == 0


@pytest.mark.parametrize(
    "item",
    [
        {"summary": [{"type": "summary_text", "text": "Hm."}]},
        {"summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
    ],
)
async def test_reasoning(answer_to, item):
    answer = await answer_to({"type": "reasoning", "id": "rs_1", **item})

    assert isinstance(answer.content[0], ThinkingBlock)
    assert answer.content[0].thinking == "Hm."
    assert answer.content[0].content == [None, "rs_1"]
    assert answer.metadata["openai:reasoning_items"] == ["rs_1"]


async def test_a_function_call(answer_to):
    answer = await answer_to(function_call('{"at": 1}'))

    (call,) = answer.tool_calls
    assert (call.id, call.name, call.arguments) == ("call_1", "look", {"at": 1})
    assert answer.content_blocks[0].name == "look"
    assert answer.finish_reason == "tool_calls"


async def test_a_call_with_arguments_that_are_no_object(answer_to):
    answer = await answer_to(function_call("[1]"))

    assert answer.tool_calls[0].arguments == {}
    assert answer.metadata["openai:malformed_tool_calls"][0]["raw"] == "[1]"


async def test_a_refusal_is_text(answer_to):
    message = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "refusal", "refusal": "No."}],
    }

    answer = await answer_to(message)

    assert answer.text == "No."
    assert answer.metadata["openai:refusal"] is True


async def test_the_native_patch_tool_there_and_back(answer_to, openai):
    operation = {"type": "update_file", "path": "x", "diff": "@@"}
    item = {"type": "apply_patch_call", "id": "p_1", "call_id": "call_1", "status": "completed"}

    answer = await answer_to({**item, "operation": operation})
    items = openai._convert_messages(
        [
            Message(role="assistant", content=answer.content),
            Message(role="tool", tool_call_id="call_1", content="M x"),
        ]
    )

    assert answer.tool_calls[0].arguments == operation
    assert [item["type"] for item in items] == ["apply_patch_call", "apply_patch_call_output"]
    assert items[0]["operation"] == operation
    assert items[1]["status"] == "completed"


@pytest.mark.parametrize(
    ("reason", "expected"), [("max_output_tokens", "length"), ("content_filter", "content_filter")]
)
async def test_an_answer_cut_off_elsewhere(server, make_provider, say, reason, expected):
    cut = response(text="Hel", status="incomplete", incomplete_details={"reason": reason})
    server.on(RESPONSES, Answer.json(cut))

    answer = await make_provider().complete(say(metadata={"stream": False}))

    assert answer.text == "Hel"
    assert answer.finish_reason == expected
    assert "openai:response_id" not in answer.metadata
    assert server.paths() == [RESPONSES]


async def test_a_call_cut_off_is_not_carried_out(server, make_provider, say):
    cut: Any = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    server.on(RESPONSES, Answer.json(response(function_call('{"at": '), **cut)))

    with pytest.raises(kernel.InvalidToolCallError):
        await make_provider().complete(say(metadata={"stream": False}))


async def test_a_streamed_answer_cut_off_is_an_answer(server, make_provider, say):
    cut: Any = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    server.on(RESPONSES, response_stream("Hel", **cut))

    answer = await make_provider().complete(say())

    assert (answer.text, answer.finish_reason) == ("Hel", "length")


CUT = response(text="One,", status="incomplete", incomplete_details={"reason": "max_output_tokens"})


async def test_openai_is_asked_to_go_on(server, openai, say, events):
    server.on(RESPONSES, Answer.json(CUT), Answer.json(response(text="two.", id="resp_2")))

    answer = await openai.complete(say(metadata={"stream": False}))

    assert answer.text == "One,\n\ntwo."
    assert answer.metadata["openai:continuation_count"] == 1
    assert answer.metadata["openai:response_id"] == "resp_2"
    assert answer.usage.output_tokens == 14
    assert server.bodies(RESPONSES)[1]["input"][-1]["content"][0]["text"] == "One,"
    (told,) = [data for name, data in events if name == "provider:incomplete_continuation"]
    assert (told["continuation_number"], told["max_attempts"]) == (1, 5)
    assert [d["continuation_count"] for n, d in events if n == "llm:response"] == [1]


async def test_openai_is_asked_to_go_on_five_times_at_most(server, openai, say):
    server.on(RESPONSES, Answer.json(CUT))

    answer = await openai.complete(say(metadata={"stream": False}))

    assert len(server.requests) == 6
    assert answer.finish_reason == "length"


async def test_a_continuation_that_fails_leaves_what_there_is(server, openai, say):
    server.on(RESPONSES, Answer.json(CUT), Answer.json({"error": {"message": "no"}}, 500))

    answer = await openai.complete(say(metadata={"stream": False}))

    assert answer.text == "One,"


async def test_a_continuation_that_takes_too_long_leaves_what_there_is(server, openai, say, events):
    server.on(RESPONSES, Answer.json(CUT), Answer(ending="hang"))

    answer = await openai.complete(say(metadata={"stream": False}, timeout=0.3))

    assert answer.text == "One,"
    assert answer.usage.output_tokens == 7
    assert [data["status"] for name, data in events if name == "llm:response"] == ["ok"]


@pytest.mark.parametrize("status", [404, 400])
async def test_a_lost_chain_is_left_out(server, openai, say, events, status):
    lost = {"error": {"message": "x", "code": "previous_response_not_found"}}
    server.on(RESPONSES, Answer.json(lost, status), Answer.json(response(text="Hello")))
    history = [
        Message(role="assistant", content="A", metadata={"openai:response_id": "resp_0"}),
        Message(role="user", content="B"),
    ]

    answer = await openai.complete(
        say(messages=history, metadata={"stream": False}, model="gpt-5.5")
    )

    assert answer.text == "Hello"
    assert ["previous_response_id" in body for body in server.bodies(RESPONSES)] == [True, False]
    (told,) = [d for n, d in events if n == "provider:response_chain_invalidated"]
    assert told["invalidated_id"] == "resp_0"


async def test_background_mode_asks_until_it_is_done(server, openai, say, events):
    waiting = response(status="in_progress", output=[])
    server.on(RESPONSES, Answer.json({**waiting, "status": "queued"}))
    server.on("/responses/resp_1", Answer.json(waiting), Answer.json(response(text="Done")))

    answer = await openai.complete(say(), background=True)

    assert answer.text == "Done"
    assert server.bodies(RESPONSES)[0]["background"] is True
    statuses = [d["status"] for n, d in events if n == "provider:background_status"]
    assert statuses == ["in_progress", "completed"]
    assert not [name for name, _ in events if name.startswith("llm:stream")]


@pytest.mark.parametrize("failures", [5, 6])
async def test_background_mode_bears_five_failures_without_paying_anew(
    server, openai, say, failures
):
    busy = Answer.json({"error": {"message": "busy"}}, 503)
    server.on(RESPONSES, Answer.json(response(status="queued", output=[])))
    server.on("/responses/resp_1", *[busy] * failures, Answer.json(response(text="Done")))

    asked = openai.complete(say(), background=True)

    if failures == 5:
        assert (await asked).text == "Done"
    else:
        with pytest.raises(kernel.ProviderUnavailableError):
            await asked
    assert len(server.bodies(RESPONSES)) == 1


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_response_that_failed_is_an_error(server, openai, say, streaming):
    error = {"code": "server_error", "message": "out of luck"}
    failed = response_stream(status="failed", error=error)
    whole = Answer.json(response(status="failed", error=error))
    server.on(RESPONSES, failed if streaming else whole)

    with pytest.raises(kernel.LLMError) as caught:
        await openai.complete(say(metadata={"stream": streaming}))

    assert "out of luck" in str(caught.value)


async def test_an_error_event_is_an_error(server, openai, say):
    error = {"type": "error", "code": "server_error", "message": "oops", "sequence_number": 9}
    answer = response_stream("Hel", complete=False)
    answer.pieces = [*(answer.pieces or []), sse(error, done=False)]
    server.on(RESPONSES, answer)

    with pytest.raises(kernel.LLMError) as caught:
        await openai.complete(say())

    assert "oops" in str(caught.value)


async def test_streamed_text_makes_a_delta_of_each_event(server, openai, say, events, monkeypatch):
    monkeypatch.setattr(stream_events, "_MOMENT", 5)
    server.on(RESPONSES, response_stream("Hel", "lo"))

    answer = await openai.complete(say())

    deltas = [d for n, d in events if n == "llm:stream_block_delta"]
    assert answer.text == "Hello"
    assert [(d["sequence"], d["text"]) for d in deltas] == [(0, "Hel"), (1, "lo")]


async def test_only_openai_is_paid(server, openai, make_provider, say, events):
    paid: list[object] = []
    openai._add_cost = paid.append
    server.on(RESPONSES, Answer.json(response(text="Hello", model="gpt-5.5")))

    ours = await openai.complete(say(metadata={"stream": False}))
    theirs = await make_provider().complete(say(metadata={"stream": False}))

    assert str(ours.usage.cost_usd) == "0.000265"
    assert theirs.usage.cost_usd is None
    assert paid == [ours.usage.cost_usd]
    assert [d["usage"]["cost_usd"] for n, d in events if n == "llm:response"] == ["0.000265", None]


def test_reasoning_text_from_every_form():
    assert handling.extract_reasoning_text([{"text": "a"}, "b", {"text": ""}]) == "a\nb"
    assert handling.extract_reasoning_text("a") == "a"
    assert handling.extract_reasoning_text({"text": "a"}) == "a"
    assert handling.extract_reasoning_text(None) is None


def test_output_of_several_calls_becomes_one_answer():
    items = [
        {"type": "message", "content": "Hello"},
        {"type": "function_call", "id": "x", "name": "look", "input": {"at": 1}},
    ]

    answer: Any = handling.convert_response_with_accumulated_output(
        {"id": "resp_2", "status": "completed"}, items, 2, OpenAIChatResponse
    )

    assert answer.text == "Hello"
    assert answer.tool_calls[0].arguments == {"at": 1}
    assert answer.metadata["openai:continuation_count"] == 2

"""What comes back from Chat Completions, whole and streamed alike (contract §3.3)."""

from __future__ import annotations

import gzip

import pytest
from amplifier_core import llm_errors
from amplifier_core.message_models import TextBlock, ThinkingBlock, ToolCallBlock

from scripted_server import Answer, chunk, completion, stream, tool_delta, usage

CHAT = "/chat/completions"
WHOLE, STREAM = False, True


@pytest.fixture(params=[WHOLE, STREAM], ids=["whole", "stream"])
def answer_to(request, server, chat, say):
    """The module's answer to one message of the server, whole or in one chunk."""

    async def ask(content=None, finish="stop", *, top=None, **message):
        whole = {**completion(content, finish, **message), **(top or {})}
        choices = [{"index": 0, "delta": {"role": "assistant", "content": content, **message}}]
        streamed = stream(
            {**chunk(), "choices": choices},
            chunk(finish=finish),
            {**chunk(), "choices": [], "usage": usage(), **(top or {})},
        )
        server.on(CHAT, streamed if request.param else Answer.json(whole))
        return await chat.complete(say(metadata={"stream": request.param}))

    return ask


async def test_text(answer_to):
    answer = await answer_to("Hello")

    assert answer.text == "Hello"
    assert answer.content == [TextBlock(text="Hello")]
    assert answer.content_blocks[0].text == "Hello"
    assert answer.tool_calls is None
    assert answer.metadata["openai:status"] == "completed"
    assert answer.metadata["openai:api_mode"] == "chat_completions"


async def test_text_in_parts(answer_to):
    answer = await answer_to([{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}])

    assert answer.text == "Hello"


async def test_a_chat_id_is_never_kept_as_a_response_id(answer_to):
    answer = await answer_to("Hello")

    assert "chatcmpl" not in str(answer.metadata)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_in_a_field_of_its_own(answer_to, field):
    answer = await answer_to("42", **{field: "Six times seven."})

    assert answer.text == "42"
    assert [type(block) for block in answer.content] == [ThinkingBlock, TextBlock]
    assert answer.content[0].thinking == "Six times seven."
    assert answer.content[0].visibility == "internal"
    assert answer.content[0].content is None


async def test_reasoning_in_details(answer_to):
    answer = await answer_to("42", reasoning_details=[{"type": "reasoning.text", "text": "Hm."}])

    assert answer.content[0].thinking == "Hm."


@pytest.mark.parametrize(
    ("content", "thought", "text"),
    [
        ("<think>\nHm.\n</think>\n\n42", "Hm.\n", "42"),
        ("\n <think>Hm.</think>42", "Hm.", "42"),
        ("Hm.\n</think>\n\n42", "Hm.\n", "42"),
        ("<think>Hm.", "Hm.", None),
        ("a < b", None, "a < b"),
        ("The tag <think> opens a thought", None, "The tag <think> opens a thought"),
        ("`</think>` closes it", None, "`</think>` closes it"),
    ],
)
async def test_reasoning_within_the_content(answer_to, content, thought, text):
    answer = await answer_to(content)

    thoughts = [block.thinking for block in answer.content if isinstance(block, ThinkingBlock)]
    assert thoughts == ([thought] if thought else [])
    assert answer.text == text


async def test_a_tool_call(answer_to):
    call = tool_delta('{"city": "Oslo"}', index=0, id="call_1", type="function", name="weather")

    answer = await answer_to(None, "tool_calls", tool_calls=[call])

    assert answer.content == [ToolCallBlock(id="call_1", name="weather", input={"city": "Oslo"})]
    assert answer.tool_calls[0].arguments == {"city": "Oslo"}
    assert answer.content_blocks[0].arguments == {"city": "Oslo"}
    assert answer.finish_reason == "tool_calls"
    assert answer.text is None


async def test_arguments_may_be_an_object_or_nothing(answer_to):
    calls = [
        tool_delta({"city": "Oslo"}, index=0, id="a", name="weather"),
        tool_delta("", index=1, id="b", name="now"),
        tool_delta(None, index=2, id="c", name="now"),
    ]

    answer = await answer_to(None, "tool_calls", tool_calls=calls)

    assert [call.arguments for call in answer.tool_calls] == [{"city": "Oslo"}, {}, {}]


@pytest.mark.parametrize("arguments", ['{"city": ', "[1]", "5", "nonsense"])
async def test_arguments_that_are_no_object_are_passed_on_empty_with_a_warning(
    answer_to, arguments, caplog
):
    call = tool_delta(arguments, index=0, id="a", name="weather")

    answer = await answer_to(None, "tool_calls", tool_calls=[call])

    assert answer.tool_calls[0].arguments == {}
    assert answer.metadata["openai:malformed_tool_calls"] == [
        {"id": "a", "name": "weather", "raw": arguments}
    ]
    assert "weather" in caplog.text


@pytest.mark.parametrize("arguments", ['{"city": "Os', "", "{}"])
async def test_a_call_cut_by_the_limit_is_not_carried_out(answer_to, arguments):
    call = tool_delta(arguments, index=0, id="a", name="weather")

    with pytest.raises(llm_errors.InvalidToolCallError) as caught:
        await answer_to(None, "length", tool_calls=[call])

    assert caught.value.__cause__ is not caught.value
    assert caught.value.tool_name == "weather"
    assert caught.value.raw_arguments == arguments
    assert "max_tokens" in str(caught.value)


async def test_a_whole_call_before_the_limit_counts(answer_to):
    call = tool_delta('{"city": "Oslo"}', index=0, id="a", name="weather")

    answer = await answer_to(None, "length", tool_calls=[call])

    assert answer.tool_calls[0].name == "weather"
    assert answer.finish_reason == "length"


async def test_calls_get_ids_of_their_own(answer_to):
    calls = [
        tool_delta("{}", index=0, id="a", name="now"),
        tool_delta("{}", index=1, name="then"),
        tool_delta("{}", index=2, id="", name="soon"),
    ]

    answer = await answer_to(None, "tool_calls", tool_calls=calls)

    ids = [call.id for call in answer.tool_calls]
    assert all(ids)
    assert len(set(ids)) == 3


async def test_a_call_without_a_name_is_dropped_with_a_warning(answer_to, caplog):
    answer = await answer_to("Hi", "stop", tool_calls=[tool_delta("{}", index=0, id="a")])

    assert answer.tool_calls is None
    assert "without a name" in caplog.text


async def test_the_old_function_call_is_one_call(answer_to):
    answer = await answer_to(
        None, "function_call", function_call={"name": "now", "arguments": "{}"}
    )

    assert answer.tool_calls[0].name == "now"
    assert answer.finish_reason == "tool_calls"


async def test_markup_in_the_text_is_warned_of(answer_to, caplog):
    await answer_to('<tool_call>{"name": "now"}</tool_call>')

    assert "tool call parser" in caplog.text


@pytest.mark.parametrize(
    ("given", "calls", "expected"),
    [
        ("stop", True, "tool_calls"),
        ("stop", False, "stop"),
        ("length", False, "length"),
        ("content_filter", False, "content_filter"),
        ("eos_found", False, "eos_found"),
    ],
)
async def test_finish_reasons(answer_to, given, calls, expected):
    call = tool_delta("{}", index=0, id="a", name="now")

    answer = await answer_to("x", given, **({"tool_calls": [call]} if calls else {}))

    assert answer.finish_reason == expected


@pytest.mark.parametrize(
    ("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
async def test_an_incomplete_answer_says_so(answer_to, finish, reason):
    answer = await answer_to("Hel", finish)

    assert answer.metadata["openai:status"] == "incomplete"
    assert answer.metadata["openai:incomplete_reason"] == reason


async def test_a_refusal_is_text_and_marked(answer_to):
    answer = await answer_to(None, "stop", refusal="No.")

    assert answer.text == "No."
    assert answer.metadata["openai:refusal"] is True


async def test_usage_in_detail(answer_to):
    tokens = usage(
        prompt_tokens_details={"cached_tokens": 0},
        completion_tokens_details={"reasoning_tokens": 3},
    )

    answer = await answer_to("Hello", top={"usage": tokens})

    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)
    assert answer.usage.total_tokens == 18
    assert answer.usage.cache_read_tokens == 0
    assert answer.usage.reasoning_tokens == 3
    assert answer.usage.cost_usd is None


async def test_usage_that_is_absent_is_nothing(answer_to):
    answer = await answer_to("Hello", top={"usage": None})

    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (0, 0)
    assert answer.usage.cache_read_tokens is None


async def test_a_whole_answer_may_leave_the_finish_reason_out(server, chat, say):
    server.on(CHAT, Answer.json(completion("Hello", None)))

    answer = await chat.complete(say(metadata={"stream": False}))

    assert answer.finish_reason == "stop"


async def test_a_server_that_does_not_stream_is_understood(server, chat, say):
    server.on(CHAT, Answer.json(completion("Hello")))

    answer = await chat.complete(say())

    assert answer.text == "Hello"


async def test_rate_limits_and_raw_reach_the_event(server, make_provider, say, events):
    limits = {"x-ratelimit-limit-requests": "9", "x-ratelimit-reset-tokens": "1s"}
    answer = stream(chunk("ok"), chunk(finish="stop"))
    answer.headers = limits
    server.on(CHAT, answer)

    await make_provider(use_responses_api=False, raw="true").complete(say())

    (payload,) = [data for name, data in events if name == "llm:response"]
    assert payload["rate_limits"] == {"requests_limit": 9, "tokens_reset": "1s"}
    assert payload["raw"]["choices"][0]["message"]["content"] == "ok"
    (request,) = [data for name, data in events if name == "llm:request"]
    assert request["raw"]["messages"] == [{"role": "user", "content": "Hi"}]


async def test_a_compressed_stream(server, chat, say):
    answer = stream(chunk("Hello"), chunk(finish="stop"))
    answer.pieces = [gzip.compress(b"".join(answer.pieces or []))]
    answer.headers = {"content-encoding": "gzip"}
    server.on(CHAT, answer)

    assert (await chat.complete(say())).text == "Hello"

"""Chat Completions as servers write it, beyond what the standard shows (contract §3.3, §4)."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from amplifier_module_provider_openai import OpenAIProvider, stream_events
from amplifier_module_provider_openai.chat_chunks import ChunkStream
from scripted_server import Answer, chunk, completion, sse, stream, tool_delta

CHAT = "/chat/completions"
HELLO = (chunk("Hello"), chunk(finish="stop"))


@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize("done", [True, False])
async def test_a_break_after_the_last_word_takes_nothing_from_the_answer(
    server, make_provider, say, events, ending, done
):
    server.on(CHAT, stream(*HELLO, done=done, ending=ending))
    provider = make_provider(use_responses_api=False, max_retries=1, min_retry_delay=0.01)

    answer = await provider.complete(say())

    assert (answer.text, answer.finish_reason) == ("Hello", "stop")
    assert server.paths() == [CHAT]
    assert [name for name, _ in events].count("llm:stream_block_end") == 1
    assert "llm:stream_aborted" not in [name for name, _ in events]


async def test_silence_after_the_finish_reason_ends_the_wait_and_not_the_answer(
    server, make_provider, say
):
    server.on(CHAT, stream(*HELLO, done=False, ending="hang"))
    provider = make_provider(use_responses_api=False, stream_idle_timeout=0.2)

    assert (await provider.complete(say())).text == "Hello"


async def test_what_is_malformed_after_the_finish_reason_is_an_error_all_the_same(
    server, chat, say
):
    server.on(CHAT, stream(*HELLO, b"data: nonsense\n\n"))

    with pytest.raises(Exception, match="not JSON"):
        await chat.complete(say())


async def test_a_stream_that_calls_itself_json(server, chat, say, events):
    answer = stream(*HELLO)
    answer.content_type = "application/json"
    server.on(CHAT, answer)

    assert (await chat.complete(say())).text == "Hello"
    assert "llm:stream_block_delta" in [name for name, _ in events]


async def test_an_object_that_calls_itself_a_stream(server, chat, say):
    body = Answer.json(completion("Hello")).body
    answer = Answer(content_type="text/event-stream", pieces=[b"\n", b"  ", body[:9], body[9:]])
    server.on(CHAT, answer)

    assert (await chat.complete(say())).text == "Hello"


async def test_the_beginning_is_shown_before_the_rest_is_parsed(
    server, chat, say, events, monkeypatch
):
    monkeypatch.setattr(stream_events, "_MOMENT", 5)
    pieces = [chunk(role="assistant"), *(chunk(f"{n} ") for n in range(50)), chunk(finish="stop")]
    server.on(CHAT, stream(*pieces))
    parsed = []
    take = ChunkStream.take

    def count(self, received):
        parsed.append([name for name, _ in events].count("llm:stream_block_delta"))
        take(self, received)

    monkeypatch.setattr(ChunkStream, "take", count)
    await chat.complete(say())

    assert len(parsed) == len(pieces) + 1
    assert parsed[:2] == [0, 0]
    assert parsed[2] == 1


async def test_a_slow_hook_holds_up_neither_the_stream_nor_its_clock(
    server, make_provider, say, coordinator
):
    async def hold(_event, _data):
        await asyncio.sleep(0.6)

    coordinator.hooks.register("llm:stream_block_start", hold)
    provider = make_provider(use_responses_api=False, stream_idle_timeout=0.3)
    server.on(CHAT, stream(*HELLO))

    assert (await provider.complete(say())).text == "Hello"


async def test_what_config_says_of_stream_options_wins(server, make_provider, say):
    server.on(CHAT, stream(*HELLO))
    told = {"stream_options": {"include_usage": False}}
    provider = make_provider(use_responses_api=False, extra_request_params=told)

    await provider.complete(say())

    assert server.bodies(CHAT)[0]["stream_options"] == told["stream_options"]


@pytest.mark.parametrize(
    ("config", "fields", "sent"),
    [
        ({"stop": "END", "seed": 1}, {}, {"stop": ["END"], "seed": 1}),
        ({"stop": ["END"], "seed": 1}, {"stop": ["."], "seed": 2}, {"stop": ["."], "seed": 2}),
        ({}, {"seed": 0}, {"seed": 0}),
    ],
)
async def test_stop_and_seed_come_from_the_request_or_config(
    server, make_provider, say, config, fields, sent
):
    server.on(CHAT, stream(*HELLO))

    await make_provider(use_responses_api=False, **config).complete(say(**fields))

    (body,) = server.bodies(CHAT)
    assert {key: body[key] for key in ("stop", "seed") if key in body} == sent


def blocks_told(events):
    """(event, index, type, tool's name) of each start and end."""
    return [
        (name[17:], data["block_index"], data["block_type"], data.get("name"))
        for name, data in events
        if name in {"llm:stream_block_start", "llm:stream_block_end"}
    ]


async def test_a_call_that_never_gets_a_name_takes_no_index(server, chat, say, events, caplog):
    nameless, named = tool_delta("{}", index=0, id="a"), tool_delta("{}", index=1, id="b", name="x")
    server.on(CHAT, stream(chunk(tool_calls=[nameless, named]), chunk("Hi"), HELLO[1]))

    answer = await chat.complete(say())

    assert [block.type for block in answer.content] == ["tool_call", "text"]
    assert blocks_told(events) == [
        ("start", 0, "tool_use", "x"),
        ("end", 0, "tool_use", None),
        ("start", 1, "text", None),
        ("end", 1, "text", None),
    ]
    assert "without a name" in caplog.text


@pytest.mark.parametrize(
    ("deltas", "names"),
    [
        ([tool_delta("{", index=0), tool_delta("}", index=0, name="x")], ["x"]),
        (
            [
                tool_delta("{", index=0),
                tool_delta("{}", index=1, name="y"),
                tool_delta("}", index=0, name="x"),
            ],
            ["y", "x"],
        ),
    ],
)
async def test_a_name_may_come_after_the_arguments(server, chat, say, events, deltas, names):
    server.on(CHAT, stream(*(chunk(tool_calls=[delta]) for delta in deltas), HELLO[1]))

    answer = await chat.complete(say())

    assert [(call.name, call.arguments) for call in answer.tool_calls] == [(n, {}) for n in names]
    told = blocks_told(events)
    assert [(index, name) for what, index, _, name in told if what == "start"] == [
        *enumerate(names)
    ]
    assert len(told) == 2 * len(names)


async def test_a_name_that_comes_between_two_pieces_of_text_parts_nothing(
    server, chat, say, events
):
    calls = [tool_delta("", index=0, id="a"), tool_delta("{}", index=0, name="x")]
    server.on(
        CHAT,
        stream(
            chunk(tool_calls=calls[:1]),
            *map(chunk, ("1 ", "< ")),
            chunk(tool_calls=calls[1:]),
            *map(chunk, ("2", " < ", "3", " or", " so")),
            HELLO[1],
        ),
    )

    answer = await chat.complete(say())

    assert answer.text == "1 < 2 < 3 or so"
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [("x", {})]
    text = [data for name, data in events if name == "llm:stream_block_delta"]
    assert {data["block_index"] for data in text} == {0}


@pytest.mark.parametrize(
    ("half", "text"), [(b"\\ud83d", "Hi �!"), (b"\\ud83d\\ude00", "Hi \N{GRINNING FACE}!")]
)
@pytest.mark.parametrize("streaming", [True, False])
async def test_half_a_character_does_not_end_the_answer(
    server, chat, say, events, half, text, streaming
):
    def cut(body):
        return body.replace(b"?", half)

    whole = Answer(cut(Answer.json(completion("Hi ?!")).body))
    streamed = stream(*(cut(sse(event, done=False)) for event in (chunk("Hi ?!"), HELLO[1])))
    server.on(CHAT, streamed if streaming else whole)

    answer = await chat.complete(say(metadata={"stream": streaming}))

    assert answer.text == text
    told = [data["text"] for name, data in events if name == "llm:stream_block_delta"]
    assert told == ([text] if streaming else [])


SPOKEN = [
    ("The tag </think> ends a thought.", None),
    ("It ends at `</think>`.", None),
    ("I wrote '</think>' and (</think>).", None),
    ("Hm.</think>42", "42"),
    ("Hm. </think>\n\n42", "42"),
    ("Hm. </think>", None),
    ("Hm.\n</think> 42", "42"),
]


@pytest.mark.parametrize(("content", "text"), SPOKEN)
@pytest.mark.parametrize("size", [1, 3, 8, 99])
async def test_a_bare_closing_tag_in_a_sentence_is_text(server, chat, say, content, text, size):
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    server.on(CHAT, stream(*map(chunk, pieces), HELLO[1]))

    answer = await chat.complete(say())

    spoken = content[0] in "TI"
    assert answer.text == (content if spoken else text)
    assert (answer.content[0].type == "text") is spoken


@pytest.mark.parametrize("content", ["", None])
async def test_an_empty_answer_is_warned_of(server, chat, say, caplog, content):
    server.on(CHAT, stream(chunk(content, role="assistant"), HELLO[1]))

    answer = await chat.complete(say())

    assert (answer.content, answer.text) == ([], None)
    assert "The answer is empty" in caplog.text


async def test_hooks_of_another_kind_that_fail_do_not_fail_the_call(server, say, caplog):
    class Hooks:
        async def emit(self, _event, _data):
            raise RuntimeError("no disk")

    server.on(CHAT, stream(*HELLO))
    config = {"base_url": server.base_url, "use_responses_api": False}
    coordinator: Any = SimpleNamespace(hooks=Hooks())
    provider = OpenAIProvider("test-key", config=config, coordinator=coordinator)

    answer: Any = await provider.complete(say())
    await provider.close()

    assert answer.text == "Hello"
    assert "no disk" in caplog.text

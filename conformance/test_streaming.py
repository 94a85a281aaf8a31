"""Streaming: the events that an answer comes in, and what becomes of one that nobody reads."""

import asyncio
import re
import time
from typing import Any

from conformance.check import check
from conformance.conversation import OMITTED
from conformance.outcome import Inconclusive, NotSetUp, about_form
from conformance.unending import no_end, unending
from conformance.wire import WireAsker
from conformance.within import within

#: Ends of an answer: by itself, by the limit, by a stop string.
ENDS: list[dict[str, Any]] = [{}, {"max_tokens": 2}, {"stop": [" river"]}]
#: Seconds in which a server must be free again. llama.cpp looks once in a second who is gone; what
#: is left undone here takes it more than twice as long, and slower servers longer.
SOON = 5.0
#: Answers that nobody waits for, and the tokens of each.
LEFT, TOKENS = 10, 3000
#: How many times as long as alone a question waits that gets no turn beside the others; seconds.
BESIDE, MOMENT = 10, 0.1
#: Seconds before the end of a second at which the first stream begins, after which one must still
#: go on, and how often that is tried.
BEFORE, AFTER, TRIES = 0.08, 0.03, 5


@check("streaming.framing")
async def test_framing(ask: WireAsker) -> None:
    """Events are lines of data with an empty line behind them, and say what they are."""
    answer = await ask.send("Repeat: tiger river lamp")

    with about_form():
        assert answer.headers.get("content-type", "").startswith("text/event-stream")
        lines = [line for line in re.split(r"\r\n|\n|\r", answer.text) if line]
        assert [line for line in lines if not line.startswith(("data:", ":"))] == []
    assert answer.reply.text == "tiger river lamp"


@check("streaming.pieces")
async def test_pieces(ask: WireAsker) -> None:
    """Many numbers are not one piece, nor do their pieces come all at the end.

    A busy machine may read a whole stream at once; who holds it back does so each time.
    """
    told = []
    for _ in range(TRIES):
        began = time.time()
        body = ask.body("Count to 200.", max_tokens=1000)
        came = [at - began async for at, chunk in ask.arriving(body) if _has_text(chunk)]
        assert len(came) > 5, f"{len(came)} pieces"
        if came[0] < came[-1] / 2:
            return
        told.append(f"{came[0]:.3f} of {came[-1]:.3f} s")
    raise AssertionError(f"the first piece came when most of the time was over: {told}")


def _has_text(chunk: dict[str, Any]) -> bool:
    return any(choice.get("delta", {}).get("content") for choice in chunk.get("choices") or ())


@check("streaming.role")
async def test_role(ask: WireAsker) -> None:
    """The first delta says who speaks, and no other one does."""
    found = (await ask.send("Repeat: tiger river lamp")).choices

    roles = [choice.get("delta", {}).get("role") for choice in found]
    assert roles[:1] == ["assistant"]
    assert not any(roles[1:]), f"the role comes again: {roles}"


@check("streaming.finish-once")
async def test_finish_once(ask: WireAsker) -> None:
    """Every choice says whether it is the last, and only the last one is."""
    found = (await ask.send("Repeat: tiger river lamp")).choices

    reasons = [choice["finish_reason"] for choice in found if choice.get("finish_reason")]
    with about_form():
        assert all("finish_reason" in choice for choice in found)
        assert len(reasons) == 1, f"finish reasons: {reasons}"
        assert found[-1]["finish_reason"]
    assert reasons == ["stop"]


@check("streaming.done")
async def test_done(ask: WireAsker) -> None:
    """However an answer ends, the stream ends in [DONE], once."""
    for fields in ENDS:
        answer = await ask.send("Repeat: tiger river lamp", **fields)
        assert answer.chunks
        assert answer.text.count("[DONE]") == 1


@check("streaming.usage-last")
async def test_usage_last(ask: WireAsker) -> None:
    """Usage comes once, in a last chunk of its own."""
    answer = await ask.send("Repeat: tiger", stream_options={"include_usage": True})

    told = [chunk for chunk in answer.chunks if chunk.get("usage")]
    assert len(told) == 1
    assert told[0].get("choices") == []
    assert answer.chunks[-1] == told[0]


@check("streaming.usage-unasked")
async def test_usage_unasked(ask: WireAsker) -> None:
    """Usage that was not asked for is not told: a chunk without a choice would be a surprise."""
    answer = await ask.send("Repeat: tiger", stream_options=OMITTED)

    with about_form():
        assert [chunk for chunk in answer.chunks if chunk.get("usage")] == []
        assert all(chunk.get("choices") for chunk in answer.chunks)
    assert answer.reply.text == "tiger"


@check("streaming.envelope")
async def test_envelope(ask: WireAsker) -> None:
    """All chunks of an answer, that with the usage too, have one id, one model and one kind."""
    chunks = (await ask.send("Repeat: tiger river lamp")).chunks

    ids, models = ({chunk.get(key) for chunk in chunks} for key in ("id", "model"))
    assert all(ids)
    assert all(models)
    assert len(ids) == len(models) == 1
    assert {chunk.get("object") for chunk in chunks} == {"chat.completion.chunk"}
    assert all(isinstance(chunk.get("created"), int) for chunk in chunks)


@check("streaming.created")
async def test_created(ask: WireAsker) -> None:
    """A stream that goes on when a second ends tells one time all the same."""
    before = BEFORE
    for _ in range(TRIES):
        await asyncio.sleep((1 - before - time.time()) % 1)
        began = time.time()
        told = await _times(ask)
        with about_form():
            assert len({str(created) for _, created in told}) == 1
        first, last = told[0][0], told[-1][0]
        if int(first) < int(last - AFTER):
            return
        # The next one has its middle there, be the server slow or fast.
        before = (first + last) / 2 - began
    raise Inconclusive(f"in {TRIES} tries no stream went on when a second ended")


async def _times(ask: WireAsker) -> list[tuple[float, Any]]:
    """When each chunk of a long answer came, and the time that it tells."""
    body = ask.body("Count to 200.", max_tokens=1000)
    return [(at, chunk.get("created")) async for at, chunk in ask.arriving(body)]


@check("streaming.hang-up")
async def test_hang_up(ask: WireAsker) -> None:
    """Whoever hangs up is not worked for any longer: the next question gets its turn."""
    began = time.monotonic()
    await unending(ask)
    alone = time.monotonic() - began
    endless = {"max_tokens": TOKENS, **no_end()}
    left = [asyncio.create_task(ask.send("Count to 200.", **endless)) for _ in range(LEFT)]
    await asyncio.wait(left, timeout=MOMENT)
    another = asyncio.create_task(ask.send("Repeat: tiger"))
    first = asyncio.FIRST_COMPLETED
    await asyncio.wait({*left, another}, timeout=max(MOMENT, BESIDE * alone), return_when=first)
    done = [task for task in left if task.done()]
    beside = another.done() and not done
    for task in (*left, another):
        task.cancel()
    await asyncio.wait({*left, another})

    if len(done) > LEFT // 2:
        raise Inconclusive(f"nobody had to hang up on {len(done)} of {len(left)} answers")
    if beside:
        raise NotSetUp(f"beside {len(left)} answers the server gives another: nobody has to wait")
    reply = await within(SOON, ask("Repeat: tiger"), "no answer after all had hung up")
    assert reply.text == "tiger"

"""Sampling: how the next token is chosen, and what is told of the choice."""

from typing import Any

from conformance.answer import Answer
from conformance.ask import Asker
from conformance.check import check
from conformance.completion import Chosen, Completion, Logprobs
from conformance.outcome import Inconclusive, ensure_form
from conformance.unending import TOKENS, WORD, no_end, unending
from conformance.vocabulary import bias
from conformance.wire import WireAsker
from fixtures.tools import WEATHER
from reports import Mode

COUNTED = " ".join(str(number) for number in range(1, 21))
#: As random as can be: what servers have beside temperature, and the API hasn't, is out of the way.
HOT: dict[str, Any] = {"temperature": 2.0, "top_p": 1.0, "top_k": 0, "min_p": 0}
#: Beyond what the API allows.
OUT_OF_RANGE: list[dict[str, Any]] = [
    {"temperature": 2.5},
    {"temperature": -1},
    {"top_p": 1.5},
    {"presence_penalty": 3},
    {"frequency_penalty": -3},
    {"logprobs": True, "top_logprobs": 21},
]

#: In none of these does a word go on from another, so that the model is as good as undecided.
FORCED = [
    ("river", "lamp", "plum", "apple", "stone"),
    ("cloud", "green", "garden", "silver", "yellow"),
    ("window", "forest", "candle", "bridge", "castle"),
    ("flower", "butter", "pencil", "paper", "rabbit"),
]


def choices(answer: Answer, mode: Mode) -> list[dict[str, Any]]:
    """The choices of an answer, or of all chunks of a stream."""
    if mode is Mode.WHOLE:
        Completion.read(answer.text)
        return list(answer.json["choices"])
    return answer.choices


def logprobs(answer: Answer, mode: Mode) -> list[Chosen]:
    """What was told of each token."""
    told = [Logprobs.of(choice.get("logprobs") or {}) for choice in choices(answer, mode)]
    found = [token for one in told for token in one.content or ()]
    ensure_form(found, "nothing is told of any token")
    return found


def unsure() -> dict[str, Any]:
    """As random as can be, and past the end of the answer, where the model is sure of no token."""
    return {**no_end(), **HOT, "max_tokens": TOKENS}


@check("sampling.temperature")
async def test_temperature(ask: WireAsker) -> None:
    """At the highest temperature the model says something else, in one of five times at least."""
    await unending(ask)
    # A server that was started with a seed would draw the same each time.
    hot = [await ask.send(WORD, seed=seed, **unsure()) for seed in range(5)]

    assert len({answer.reply.text for answer in hot}) > 1


@check("sampling.top-p")
async def test_top_p(ask: Asker) -> None:
    """However hot, of one hundredth of the probability only the best token is left."""
    best = await unending(ask)
    reply = await ask(WORD, **{**unsure(), "top_p": 0.01})

    assert reply.text == best.text


@check("sampling.seed")
async def test_seed(ask: WireAsker) -> None:
    """One seed gives one text, and of five seeds one at least gives another."""
    await unending(ask)
    seeds = [1, 1, 2, 3, 4, 5]
    answers = [await ask.send(WORD, seed=seed, **unsure()) for seed in seeds]

    first, again, *others = [answer.if_supported.text for answer in answers]
    assert again == first
    assert set(others) != {first}


@check("sampling.several")
async def test_several(ask: WireAsker) -> None:
    """Two choices are asked for, and two come, each to its end."""
    answer = await ask.send("Repeat: tiger", n=2, temperature=0.7)

    answer.ensure_supported()
    found = choices(answer, ask.mode)
    ended = [choice.get("index") for choice in found if choice.get("finish_reason")]
    assert set(ended) == {0, 1}
    assert len(ended) == 2


@check("sampling.logprobs")
async def test_logprobs(ask: WireAsker) -> None:
    """Each token is told with its probability and bytes, and together they make the text."""
    answer = await ask.send("Repeat: tiger river lamp", logprobs=True)

    answer.ensure_supported()
    told = logprobs(answer, ask.mode)
    ensure_form(all("bytes" in token.model_fields_set for token in told), "bytes are not told")
    spelt = [byte for token in told for byte in token.bytes or ()]
    assert bytes(spelt).startswith(b"tiger river lamp")


@check("sampling.top-logprobs")
async def test_top_logprobs(ask: WireAsker) -> None:
    """The alternatives of each token are no more than asked for, the chosen one among them."""
    answer = await ask.send("Repeat: tiger river lamp", logprobs=True, top_logprobs=3)

    answer.ensure_supported()
    for token in logprobs(answer, ask.mode):
        likely = [one.token for one in token.top_logprobs]
        assert len(likely) <= 3
        assert token.token in likely


@check("sampling.logprobs-with-tools")
async def test_logprobs_with_tools(ask: WireAsker) -> None:
    """Where tools are offered, probabilities don't keep them from being called."""
    tools = [{"type": "function", "function": WEATHER}]

    reply = (
        await ask.send("What is the weather in Oslo?", tools=tools, logprobs=True)
    ).if_supported

    assert reply.call.arguments == {"city": "Oslo"}


@check("sampling.logit-bias")
async def test_logit_bias(ask: Asker) -> None:
    """A token that is banned is not said, and one that is forced is."""
    banned = await ask("Repeat: tiger", logit_bias=bias({"tiger": -100}), max_tokens=4)
    forced = await ask("Repeat: tiger", logit_bias=bias({"lamp": 100}), max_tokens=1)

    assert "tiger" not in banned.text
    assert forced.text.strip() == "lamp"


@check("sampling.frequency-penalty")
async def test_frequency_penalty(ask: Asker) -> None:
    """The blank between numbers, said again and again, is not said twenty times."""
    free = await ask("Count to 20.", max_tokens=64)
    bound = await ask("Count to 20.", max_tokens=64, frequency_penalty=2.0)

    assert free.text == COUNTED
    # mlx_lm.server (0.32.2) looks at twenty tokens, in which a model may be surer than the penalty.
    if bound.text == COUNTED:
        assert await _gives_way(ask, frequency_penalty=2.0), "the penalty changes nothing"


@check("sampling.presence-penalty")
async def test_presence_penalty(ask: Asker) -> None:
    """Of words that are forced upon the model, one that was said gives way to another."""
    assert await _gives_way(ask, presence_penalty=2.0), "in no answer anything gives way"


async def _gives_way(ask: Asker, **penalty: Any) -> bool:
    """Whether a penalty changes any answer in which words are forced upon the model."""
    changed = []
    for words in FORCED:
        forced: dict[str, Any] = {
            "max_tokens": TOKENS,
            "logit_bias": bias(dict.fromkeys(words, 50)),
        }
        free = await ask(WORD, **forced)
        if free.finish_reason != "length":
            raise Inconclusive(f"words are forced, and do not come: {free.described}")
        changed.append((await ask(WORD, **penalty, **forced)).text != free.text)
    return any(changed)


@check("sampling.out-of-range")
async def test_out_of_range(ask: WireAsker) -> None:
    """A figure that can't be meant is refused, not bent to one that can."""
    answers = [await ask.send("Repeat: tiger", **fields) for fields in OUT_OF_RANGE]

    seen = [(fields, answer.status) for fields, answer in zip(OUT_OF_RANGE, answers, strict=True)]
    assert [one for one in seen if not 400 <= one[1] < 500] == []


@check("sampling.top-logprobs-alone")
async def test_top_logprobs_alone(ask: WireAsker) -> None:
    """Alternatives are refused where no probabilities are asked for."""
    answer = await ask.send("Repeat: tiger", top_logprobs=3)

    assert answer.refusal.message

"""Messages: what each role brings into the conversation."""

from conformance.ask import Asker
from conformance.check import check
from conformance.conversation import assistant, developer, system, user
from conformance.wire import WireAsker


@check("messages.system")
async def test_system(ask: Asker) -> None:
    """A word that only the system message holds is known."""
    reply = await ask(system("The secret word is plum."), "What is the secret word?")

    assert reply.text == "plum"


@check("messages.developer")
async def test_developer(ask: Asker) -> None:
    """A word that only the developer message holds is known."""
    reply = await ask(developer("The secret word is plum."), "What is the secret word?")

    assert reply.text == "plum"


@check("messages.memory")
async def test_memory(ask: Asker) -> None:
    """A name from the first of three turns is known in the third."""
    reply = await ask(
        "My name is Ana.",
        assistant("Hello Ana."),
        "Count to 3.",
        assistant("1 2 3"),
        "What is my name?",
    )

    assert reply.text == "Ana"


@check("messages.parts")
async def test_parts(ask: Asker) -> None:
    """What one part tells is known to the question in the next, and both are one turn."""
    parts = ["The secret word is plum.", "What is the secret word?"]

    reply = await ask(user(*parts))
    joined = await ask("\n".join(parts))

    assert reply.text == "plum"
    assert reply.usage is not None
    assert joined.usage is not None
    # However parts are joined, a turn of their own would take its role, beginning and end as well.
    assert reply.usage.prompt_tokens < joined.usage.prompt_tokens + 3


@check("messages.author")
async def test_author(ask: WireAsker) -> None:
    """A message that names its author is answered like any other."""
    message = {"role": "user", "name": "ana", "content": "Repeat: tiger river"}

    reply = (await ask.send(messages=[message])).if_supported

    assert reply.text == "tiger river"


@check("messages.assistant-last")
async def test_assistant_last(ask: WireAsker) -> None:
    """An assistant's message at the end is gone on from, answered, or refused in words."""
    one = await ask.send("Count to 9.", assistant("1 2 3"))
    two = await ask.send("Count to 9.", assistant("1 2 3"), assistant("4 5"))

    one.ensure_sound()
    two.ensure_sound()

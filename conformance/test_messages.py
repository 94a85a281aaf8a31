"""Messages: what each role brings into the conversation."""

from conformance.ask import Asker
from conformance.check import check
from conformance.conversation import assistant, developer, system


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

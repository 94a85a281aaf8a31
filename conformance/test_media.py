"""Media: what a model without eyes and ears does with pictures and sound."""

from conformance.ask import Asker
from conformance.check import check
from conformance.conversation import Image, user
from conformance.outcome import about_form
from conformance.wire import WireAsker

#: A red pixel, as PNG.
PIXEL = Image(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
#: No sound at all, as WAV.
SILENCE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="


@check("media.image-refused")
async def test_image_refused(ask: Asker) -> None:
    """A picture that nobody looks at is refused, and not left out without a word."""
    refusal = await ask.refusal(user("What is in this image?", PIXEL))

    with about_form():
        assert refusal.status in {400, 415, 422}
        assert refusal.message


@check("media.audio-refused")
async def test_audio_refused(ask: WireAsker) -> None:
    """So is sound."""
    sound = {"type": "input_audio", "input_audio": {"data": SILENCE, "format": "wav"}}

    answer = await ask.send(messages=[{"role": "user", "content": [sound]}])

    assert answer.refusal.message

"""The container engine of this machine: whether there is one, and whether it has an image."""

from typing import Any

from docker.errors import DockerException, ImageNotFound
from requests import RequestException
from testcontainers.core.docker_client import DockerClient

from servers.errors import CannotRunHere
from servers.target import Progress

START = "install one and start it, for instance: apt install docker.io"


def connect() -> Any:
    """A client of the engine; CannotRunHere where none answers."""
    try:
        return DockerClient().client
    except DockerException as error:
        raise CannotRunHere(f"no container engine answers: {error}", START) from None


def ensure_image(client: Any, image: str, progress: Progress) -> str:
    """Pull `image` unless it is there. What ran, to the bit: its digest, or its id if it has none.

    An image built here has no digest.
    """
    try:
        try:
            found = client.images.get(image)
        except ImageNotFound:
            progress(f"pulling {image}")
            found = client.images.pull(image)
    except (DockerException, RequestException) as error:
        reason = getattr(error, "explanation", None) or error
        raise CannotRunHere(
            f"the image {image} can't be had: {reason}",
            "pull it by hand, or name another one: --server=NAME,how=container,image=IMAGE",
        ) from None
    digests = found.attrs.get("RepoDigests") or [f"{image} {found.id}"]
    return str(digests[0])

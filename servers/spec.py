"""Everything that is known about one server, as its YAML file holds it."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl


def _version_range(text: str) -> str:
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise ValueError("not a version range such as >=0.31,<0.33") from None
    return text


def _bytes(size: object) -> object:
    found = re.fullmatch(r"(\d+)([mg])", size) if isinstance(size, str) else None
    if not found:
        raise ValueError("not a size such as 512m or 4g")
    return int(found[1]) * {"m": 1024**2, "g": 1024**3}[found[2]]


def _reason(text: str) -> str:
    if text.startswith(NO_REASON_YET):
        raise ValueError("the reason is still to be written, once it is known why")
    return text


#: How the reason of an expectation begins that nobody has looked into yet.
NO_REASON_YET = "FILL IN"
VersionRange = Annotated[str, AfterValidator(_version_range)]
Size = Annotated[int, BeforeValidator(_bytes)]
"""Bytes; in YAML `512m` or `4g`."""


class Strict(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Flag(Strict):
    """One argument of the server's command line, and why it is there."""

    flag: str
    why: str


class Release(Strict):
    """A version that can be asked for, and the server's own build number in it."""

    version: str
    build: str = ""


class Probe(Strict):
    """One way to learn a fact: the JSON `field` (dotted) of the answer at `path`.

    A path that ends in `/chat/completions` is asked for one token; any other one with GET.
    `match` is what the whole field must look like; its first group is the fact.
    """

    path: str
    field: str
    match: str = "(.+)"


class Identity(Strict):
    """How version and build are read from the server that runs; the first answer wins."""

    package: str = ""
    recognise: list[Probe] = Field(default=[], description="of a URL: any answer means this server")
    version: list[Probe] = []
    build: list[Probe] = []


class Needs(Strict):
    """What the machine must be; platforms are named `linux-x86_64`, memory is for all it runs."""

    platforms: list[str] = []
    cpu_flags: list[str] = []
    memory: Size = 0


class Start(Strict):
    """What a server is told at its start."""

    command: list[str]
    flags: list[Flag] = []
    env: dict[str, str] = {}

    @property
    def settings(self) -> list[str]:
        """Its environment and its flags, as the YAML file has them."""
        environment = [f"{name}={value}" for name, value in self.env.items()]
        return [*environment, *(flag.flag for flag in self.flags)]


class Native(Start):
    """A process on this machine. The first release is the one that is started.

    In command, flags and env, `{python}` is the interpreter of the server's environment,
    `{servers}` this folder, `{scratch}` an empty folder of its own, `{port}` its port, `{model}`
    the model's name, `{gguf}` and `{safetensors}` its path in either form.
    """

    requirements: list[str]
    without: list[str] = Field(default=[], description="dependencies to leave out")
    cpu_builds: list[Literal["torch"]] = []
    python: VersionRange = ""
    embedded: bool = Field(
        default=False, description="the suite's own environment will do where it satisfies them"
    )
    releases: list[Release] = Field(min_length=1)
    needs: Needs = Needs()
    ran_on: str = Field(default="", description="where it was last seen to work; nothing: nowhere")
    port_in_log: str = Field(
        default="", description="regexp of the line that tells the port which the server chose"
    )


class Mount(Strict):
    """A file or folder of this machine, seen read-only in the container."""

    source: str
    target: str


class LocalImage(Strict):
    """An image made here, by `images/<server>.Dockerfile`, from what a wheel holds.

    Without a requirement it is from the environment of the native start, all of it.
    """

    tag: str
    requirement: str = ""
    folder: str = "."


class Container(Start):
    """An image, and what it is told. Words in braces mean what they mean for a native start.

    `{model_home}` is the folder above the one of the GGUF file.
    """

    image: str
    command: list[str] = []
    mounts: list[Mount] = []
    port: int
    setup: list[list[str]] = Field(default=[], description="run inside, until each has succeeded")
    capabilities: list[str] = Field(default=[], description="given back, after all were dropped")
    memory: Size = 4 * 1024**3
    shm: str = "64m"
    ran_on: str = Field(default="", description="where it was last seen to work; nothing: nowhere")
    local: LocalImage | None = None


class Ready(Strict):
    """How long, in seconds, the first chat completion may take."""

    timeout: float = Field(gt=0)


class Expectation(Strict):
    """A known divergence: this check has one of these outcomes on these versions."""

    check: str
    layers: list[Literal["wire", "provider"]] = ["wire", "provider"]
    modes: list[Literal["whole", "stream"]] = ["whole", "stream"]
    during: list[str] = Field(
        default=[], description="of an invariant: the checks that break it; none means any"
    )
    outcomes: list[Literal["fail", "inconclusive", "unsupported"]] = Field(min_length=1)
    versions: VersionRange = ""
    reason: Annotated[str, Field(min_length=10), AfterValidator(_reason)]
    issue: HttpUrl | None = None
    seen_on: str = Field(min_length=1, description="the version or build that was seen to do it")
    recheck_by: date


class Tried(Strict):
    """How much of what users meet works with one setting of the module: passes of questions."""

    use_responses_api: bool | Literal["auto"]
    seen_on: str = Field(min_length=1)
    passed: dict[str, Annotated[str, Field(pattern=r"^\d+/\d+$")]]

    @property
    def passes(self) -> int:
        """How many in all."""
        return sum(int(share.split("/")[0]) for share in self.passed.values())


class Recipe(Strict):
    """For people: how to start the server, and the Amplifier settings that work with it."""

    start: str
    settings: str
    notes: str = ""
    tried: list[Tried] = Field(default=[], description="by python -m conformance.recommend")


class ServerSpec(Strict):
    """One server, from `servers/<name>.yaml`."""

    name: str
    title: str
    homepage: HttpUrl | None = None
    licence: str = ""
    model_form: Literal["gguf", "safetensors"] = "gguf"
    served_model: str = Field(default="{model}", description="the model's name in requests")
    claims: list[str] = Field(default=[], description="what its makers say that it supports")
    native: Native | None = None
    container: Container | None = None
    ready: Ready
    identity: Identity
    recipe: Recipe
    expectations: list[Expectation] = []

    @property
    def memory(self) -> int:
        """What it takes of this machine, in bytes, when it is started in its first way."""
        if self.native:
            return self.native.needs.memory
        return self.container.memory if self.container else 0

    @property
    def is_made_for_the_tiny_model(self) -> bool:
        """Whether its container is given files that lie beside the tiny model's weights."""
        mounts = self.container.mounts if self.container else []
        return any("{model_home}" in mount.source for mount in mounts)


class Attachment(Strict):
    """A server that somebody else started; `url` ends in `/v1` or another path, without a slash."""

    url: str
    model: str
    api_key: str | None = Field(default=None, repr=False)


class AttachedSpec(ServerSpec):
    """A server that is there already, at a URL."""

    at: Attachment
    config: dict[str, Any] = Field(
        default={}, repr=False, description="of the Amplifier entry that pointed here, if one did"
    )

    @property
    def memory(self) -> int:
        """Nothing: it runs already."""
        return 0

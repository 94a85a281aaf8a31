"""What the command line says, checked before anything starts."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from os.path import expanduser
from pathlib import Path

import pytest

from conformance.bench import protocol_for
from conformance.catalogue import catalogue
from conformance.expectations import ensure_known_checks
from conformance.judge import invariant_ids
from conformance.module import Module, find_module, secrets_in
from conformance.protocol import Protocol
from conformance.selection import InvalidSelection, selection
from fixtures.model.files import ModelError, ModelFiles, other_model, tiny_model
from reports import Check, Layer, Level
from servers import ServersError, ServerSpec, find_server, list_servers, load_instance
from servers.faults import Fault, parse_fault
from servers.fleet import quick_first
from servers.spec import AttachedSpec

#: What the suite's own errors have in common: a sentence, and what to do.
CLEAR_ERRORS = (ServersError, ModelError)
#: Characters of an id that come from what is said of a server beyond its place.
_LONGEST = 40


@dataclass(frozen=True)
class Options:
    """One run, as it was asked for; `specs` are by target, in the order in which they are asked."""

    specs: dict[str, ServerSpec]
    model: ModelFiles
    module: Module
    protocol: Protocol | None
    layer: Layer | None
    port: int | None
    faults: list[Fault]
    folder: str | None
    updates: bool

    @cached_property
    def secrets(self) -> list[str]:
        """What must never be written down: keys, and settings that look like one."""
        attached = [spec for spec in self.specs.values() if isinstance(spec, AttachedSpec)]
        keys = [spec.at.api_key for spec in attached if spec.at.api_key]
        configs = [self.module.config, *(spec.config for spec in attached)]
        return [*keys, *(secret for config in configs for secret in secrets_in(config))]


def add_options(parser: pytest.Parser) -> None:
    """Declare the suite's options; without --server none of them does anything."""
    group = parser.getgroup("conformance", "conformance: does provider-openai work with a server?")
    add = group.addoption
    add(
        "--server",
        action="append",
        default=[],
        metavar="SERVER",
        help="run the checks against this server; may be given several times. "
        f"Started for you: {', '.join(list_servers())}, or NAME@VERSION. Yours, running: "
        "http://127.0.0.1:1234/v1[,kind=NAME][,model=NAME][,key=ENVIRONMENT_VARIABLE]",
    )
    add(
        "--settings",
        type=expanduser,
        metavar="FILE",
        help="with --instance: test what a provider entry of an Amplifier settings.yaml points at",
    )
    add("--instance", metavar="NAME", help="the entry's `id` or `instance_id`, or its module")
    add(
        "--provider",
        type=expanduser,
        default="provider-openai",
        metavar="MODULE",
        help="the Amplifier provider module under test: the name of its entry point, or the path "
        "of a checkout that holds a package amplifier_module_* (default: %(default)s)",
    )
    add(
        "--provider-config",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="configure the module so, on top of all else; VALUE is read as YAML",
    )
    add(
        "--protocol",
        choices=list(Protocol),
        help="what the module speaks to the server (default: what the entry of --instance says, "
        "which is auto where it says nothing; else chat)",
    )
    add(
        "--checks",
        metavar="EXPR",
        help="run only these: ids, patterns and levels with and, or, not: 'tools.* and MUST'",
    )
    add("--layer", choices=list(Layer), help="run only on this layer")
    add("--level", choices=list(Level), help="run only the checks of this level")
    add("--list-checks", action="store_true", help="list the checks, as chosen, and end")
    add("--explain", metavar="ID", help="tell all about one check, and end")
    add(
        "--port",
        type=int,
        metavar="PORT",
        help="make the server listen on this port (default: one that the system chooses)",
    )
    add(
        "--report-dir",
        type=expanduser,
        metavar="DIR",
        help="where the report goes (default: a new folder below conformance-report/)",
    )
    add(
        "--fault",
        action="append",
        default=[],
        metavar="FAULT",
        help="put a fault into everything that the server sends, to see the gate go red: "
        "cut:BYTES, reset:BYTES, delay:SECONDS, split:SIZE or replace:OLD=>NEW",
    )
    add(
        "--model",
        metavar="PATH",
        type=lambda text: Path(text).expanduser(),
        help="start the servers with this model, a GGUF file or a Hugging Face folder, in place "
        "of the tiny one; what only that one is sure to say is then left out, and told so",
    )
    add(
        "--repeat",
        type=int,
        default=1,
        metavar="N",
        help="ask each check N times; the worst outcome counts, and the rate is told",
    )
    add(
        "--update-expectations",
        action="store_true",
        help="write what this run sees into servers/NAME.yaml, for a person to review: new "
        "divergences with a reason to be filled in; those that are gone are taken out",
    )


def chosen_checks(config: pytest.Config) -> list[Check]:
    """The rows that --checks, --level and --layer choose. `pytest.UsageError` if that is none."""
    expression, level = config.getoption("--checks"), config.getoption("--level")
    layer = config.getoption("--layer")
    try:
        chosen = selection(expression) if expression is not None else None
        rows = [
            row
            for row in catalogue().values()
            if (chosen is None or chosen(row))
            and level in {None, row.level}
            and layer in {None, *row.layers}
        ]
        if not rows:
            raise InvalidSelection(expression or level or layer, "chooses no check")
    except ServersError as error:
        raise usage_error(error) from None
    return rows


def known_check(check: str) -> Check:
    """The row of one check. `pytest.UsageError` names the nearest id if there is none."""
    if check in catalogue():
        return catalogue()[check]
    near = difflib.get_close_matches(check, catalogue(), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "pytest --list-checks lists the ids"
    raise pytest.UsageError(f"there is no check {check!r}\n  hint: {hint}")


def usage_error(error: ServersError | ModelError) -> pytest.UsageError:
    """The error as pytest ends with it: a sentence, a hint, exit status 4."""
    return pytest.UsageError(f"{error.message}\n  hint: {error.hint}")


def is_gate(config: pytest.Config) -> bool:
    """Whether this run has a target; without one pytest runs the project's own tests."""
    return any(config.getoption(name) for name in ("--server", "--instance", "--settings"))


def target_ids(config: pytest.Config) -> list[str]:
    """A name for each target that is asked for, fit for files: `llamacpp`, `vllm-0.31.0`."""
    instance = config.getoption("--instance")
    return [*_servers(config), *([_id_of(instance)] if instance else [])]


def _servers(config: pytest.Config) -> dict[str, str]:
    """What --server says, by ids; those of one place are told apart by all that is said of them."""
    texts = list(dict.fromkeys(config.getoption("--server")))
    places = Counter(map(_id_of, texts))
    found: dict[str, str] = {}
    for text in texts:
        name = _id_of(text) if places[_id_of(text)] == 1 else _long_id_of(text)
        if name in found:
            raise _same_id(found[name], text)
        found[name] = text
    return found


def _same_id(one: str, other: str) -> pytest.UsageError:
    return pytest.UsageError(
        f"{one!r} and {other!r} can't be told apart in one report\n  hint: ask them in two runs"
    )


def read_options(config: pytest.Config) -> Options:
    """The options of a run with a target. `pytest.UsageError` for what can't be meant."""
    try:
        _ensure_bodies(config)
        specs = quick_first(_read_specs(config))
        module = find_module(config.getoption("--provider"), config.getoption("--provider-config"))
        protocol = _read_protocol(config)
        for name, spec in specs.items():
            ensure_known_checks(name, spec.expectations)
            protocol_for(spec, module, protocol)
        repetitions(config)
        return Options(
            specs=specs,
            model=_read_model(config, specs),
            module=module,
            protocol=protocol,
            layer=Layer(config.getoption("--layer")) if config.getoption("--layer") else None,
            port=_read_port(config, specs),
            faults=[parse_fault(text) for text in config.getoption("--fault")],
            folder=config.getoption("--report-dir"),
            updates=_read_updates(config, specs),
        )
    except CLEAR_ERRORS as error:
        raise usage_error(error) from None


def load_module(module: Module) -> None:
    """Import it. `pytest.UsageError` where that fails."""
    try:
        module.load()
    except CLEAR_ERRORS as error:
        raise usage_error(error) from None


def _ensure_bodies(config: pytest.Config) -> None:
    """`pytest.UsageError` where nothing would be asked."""
    if {row.id for row in chosen_checks(config)} <= invariant_ids():
        raise pytest.UsageError(
            "only invariants are chosen, and they are judged while other checks run\n"
            "  hint: choose what is to be asked as well: --checks='invariants.* or text.*'"
        )


def _read_specs(config: pytest.Config) -> dict[str, ServerSpec]:
    servers = _servers(config)
    settings, instance = config.getoption("--settings"), config.getoption("--instance")
    if bool(settings) != bool(instance):
        raise pytest.UsageError("--settings FILE and --instance NAME go together")
    if instance and _id_of(instance) in servers:
        raise _same_id(servers[_id_of(instance)], instance)
    specs = {name: find_server(text) for name, text in servers.items()}
    if settings and instance:
        specs[_id_of(instance)] = load_instance(Path(settings), instance)
    return specs


def _read_port(config: pytest.Config, specs: dict[str, ServerSpec]) -> int | None:
    port: int | None = config.getoption("--port")
    if port and len(specs) > 1:
        raise pytest.UsageError("--port is for one server\n  hint: leave it out")
    return port


def _read_model(config: pytest.Config, specs: dict[str, ServerSpec]) -> ModelFiles:
    path: Path | None = config.getoption("--model")
    if path is None:
        return tiny_model()
    model = other_model(path)
    for spec in specs.values():
        wanted = "a GGUF file" if spec.model_form == "gguf" else "a Hugging Face folder"
        if isinstance(spec, AttachedSpec):
            raise pytest.UsageError(
                "--model is for servers that are started\n"
                "  hint: a server that runs has its model; leave --model out"
            )
        if spec.native is None and spec.is_made_for_the_tiny_model:
            raise pytest.UsageError(
                f"{spec.title} is set up here for the tiny model alone\n"
                "  hint: start it with your model, and give its URL: --server=http://HOST:PORT/v1"
            )
        if path.is_dir() is (spec.model_form == "gguf"):
            raise pytest.UsageError(
                f"{spec.title} serves {wanted}, and {path} is none\n  hint: name {wanted}"
            )
    return model


def _read_updates(config: pytest.Config, specs: dict[str, ServerSpec]) -> bool:
    """Whether files of servers are written; only what their makers are to blame for may get in."""
    if not config.getoption("--update-expectations"):
        return False
    if any(config.getoption(name) for name in ("--fault", "--layer", "--protocol", "--model")):
        raise pytest.UsageError(
            "--update-expectations wants the server as it is, on both layers, with our model\n"
            "  hint: leave --fault, --layer, --protocol and --model out"
        )
    if len({spec.name for spec in specs.values()}) < len(specs):
        raise pytest.UsageError(
            "--update-expectations can't write one file for two targets\n"
            "  hint: ask one release of a server at a time"
        )
    for name, spec in specs.items():
        if isinstance(spec, AttachedSpec):
            raise pytest.UsageError(
                f"--update-expectations can't write what {name} does: it has no file\n"
                f"  hint: name a server that is started for you: {', '.join(list_servers())}"
            )
    return True


def repetitions(config: pytest.Config) -> int:
    """How often each check is asked."""
    wanted = int(config.getoption("--repeat"))
    if wanted < 1:
        raise pytest.UsageError("--repeat: once at least\n  hint: for example --repeat 5")
    return wanted


def _read_protocol(config: pytest.Config) -> Protocol | None:
    wanted = config.getoption("--protocol")
    return Protocol(wanted) if wanted else None


def _id_of(text: str) -> str:
    """Letters, digits and single marks of what was asked for, without the scheme of a URL."""
    place, _, settings = (text.partition("://")[2] or text).partition(",")
    way = "-container" if "how=container" in settings.split(",") else ""
    return _plain(place) + way


def _long_id_of(text: str) -> str:
    """The same with what is said beyond the place; of much, the end."""
    told = [setting for setting in text.split(",")[1:] if setting != "how=container"]
    return "-".join(filter(None, [_id_of(text), _plain(_plain(",".join(told))[-_LONGEST:])]))


def _plain(text: str) -> str:
    """Words with single marks between them."""
    marks = re.compile(r"[^a-z0-9]+")
    return marks.sub(lambda found: "." if found[0] == "." else "-", text.lower()).strip("-.")

"""What the command line says, checked before anything starts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from fixtures.model.files import ModelError, ModelFiles, tiny_model

from conformance.catalogue import catalogue
from conformance.expectations import ensure_known_checks
from servers import ServersError, ServerSpec, list_servers, load_server
from servers.faults import Fault, parse_fault

#: What the suite's own errors have in common: a sentence, and what to do.
CLEAR_ERRORS = (ServersError, ModelError)


@dataclass(frozen=True)
class Options:
    """One run, as it was asked for."""

    specs: dict[str, ServerSpec]
    model: ModelFiles
    module: str
    port: int | None
    faults: list[Fault]
    folder: str | None


def add_options(parser: pytest.Parser) -> None:
    """Declare the suite's options; without --server none of them does anything."""
    group = parser.getgroup("conformance", "conformance: does provider-openai work with a server?")
    add = group.addoption
    add(
        "--server",
        action="append",
        default=[],
        metavar="NAME",
        help=f"start this server and run the checks against it; may be given several times. "
        f"NAME is one of: {', '.join(list_servers())}",
    )
    add(
        "--provider",
        default="provider-openai",
        metavar="MODULE",
        help="the Amplifier provider module under test, by the name of its entry point "
        "(default: %(default)s)",
    )
    add(
        "--port",
        type=int,
        metavar="PORT",
        help="make the server listen on this port (default: one that the system chooses)",
    )
    add(
        "--report-dir",
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


def read_options(config: pytest.Config) -> Options:
    """The options of a run with --server. `pytest.UsageError` for what can't be meant."""
    names: list[str] = config.getoption("--server")
    try:
        catalogue()
        specs = {name: load_server(name) for name in dict.fromkeys(names)}
        for name, spec in specs.items():
            ensure_known_checks(name, spec.expectations)
        return Options(
            specs=specs,
            model=tiny_model(),
            module=config.getoption("--provider"),
            port=config.getoption("--port"),
            faults=[parse_fault(text) for text in config.getoption("--fault")],
            folder=config.getoption("--report-dir"),
        )
    except CLEAR_ERRORS as error:
        raise pytest.UsageError(f"{error.message}\n  hint: {error.hint}") from None

"""How a model server is brought up, and what is known about each. Knows nothing of checks."""

from servers.catalog import list_servers, load_server
from servers.errors import (
    CannotRunHere,
    InvalidFault,
    InvalidServerFile,
    NotReady,
    PortTaken,
    ServerDied,
    ServersError,
    UnknownRelease,
    UnknownServer,
)
from servers.launch import launch
from servers.spec import Expectation, ServerSpec
from servers.target import ModelPaths, ServerLog, Target

__all__ = [
    "CannotRunHere",
    "Expectation",
    "InvalidFault",
    "InvalidServerFile",
    "ModelPaths",
    "NotReady",
    "PortTaken",
    "ServerDied",
    "ServerLog",
    "ServerSpec",
    "ServersError",
    "Target",
    "UnknownRelease",
    "UnknownServer",
    "launch",
    "list_servers",
    "load_server",
]

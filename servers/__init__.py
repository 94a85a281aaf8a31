"""How a model server is brought up, and what is known about each. Knows nothing of checks."""

from servers.catalog import list_servers, load_server
from servers.errors import (
    CannotReach,
    CannotRunHere,
    InvalidAttachment,
    InvalidFault,
    InvalidServerFile,
    NotReady,
    PortTaken,
    ServerDied,
    ServersError,
    UnknownRelease,
    UnknownServer,
)
from servers.launch import find_server, launch
from servers.spec import Expectation, ServerSpec
from servers.target import ModelPaths, ServerLog, Target

__all__ = [
    "CannotReach",
    "CannotRunHere",
    "Expectation",
    "InvalidAttachment",
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
    "find_server",
    "launch",
    "list_servers",
    "load_server",
]

"""How a model server is brought up, and what is known about each. Knows nothing of checks."""

from servers.catalog import list_servers, load_server
from servers.errors import (
    CannotReach,
    CannotRunHere,
    InvalidAttachment,
    InvalidFault,
    InvalidInstance,
    InvalidServerFile,
    NotReady,
    PortTaken,
    ServerDied,
    ServersError,
    UnknownInstance,
    UnknownRelease,
    UnknownServer,
)
from servers.instances import mount_name, resolve_instance
from servers.launch import find_server, launch
from servers.settings import load_instance
from servers.spec import Expectation, ServerSpec
from servers.target import ModelPaths, Progress, ServerLog, Target

__all__ = [
    "CannotReach",
    "CannotRunHere",
    "Expectation",
    "InvalidAttachment",
    "InvalidFault",
    "InvalidInstance",
    "InvalidServerFile",
    "ModelPaths",
    "NotReady",
    "PortTaken",
    "Progress",
    "ServerDied",
    "ServerLog",
    "ServerSpec",
    "ServersError",
    "Target",
    "UnknownInstance",
    "UnknownRelease",
    "UnknownServer",
    "find_server",
    "launch",
    "list_servers",
    "load_instance",
    "load_server",
    "mount_name",
    "resolve_instance",
]

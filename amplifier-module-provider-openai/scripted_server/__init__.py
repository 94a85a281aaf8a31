"""A server for tests that answers what it is told to, over real sockets."""

from .chat import chunk, completion, sse, stream, tool_delta, usage
from .responses import response, response_stream
from .server import Answer, Request, ScriptedServer

__all__ = [
    "Answer",
    "Request",
    "ScriptedServer",
    "chunk",
    "completion",
    "response",
    "response_stream",
    "sse",
    "stream",
    "tool_delta",
    "usage",
]

"""A server for tests that answers what it is told to, over real sockets."""

from .chat import chunk, completion, sse, stream, tool_delta, usage
from .responses import response, response_stream
from .server import Answer, Request, ScriptedServer
from .strict import refuse_input, refuse_messages, strict

__all__ = [
    "Answer",
    "Request",
    "ScriptedServer",
    "chunk",
    "completion",
    "refuse_input",
    "refuse_messages",
    "response",
    "response_stream",
    "sse",
    "stream",
    "strict",
    "tool_delta",
    "usage",
]

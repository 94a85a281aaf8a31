"""llama.cpp's own C++ server, from the `xllamacpp` wheel, as a program.

The wheel has no command line. Arguments are `name=value`, where the name is an attribute of
`xllamacpp.CommonParams` (`n_ctx=4096`, `cpuparams.n_threads=2`); the server ends with SIGTERM.
"""

import enum
import signal
import sys

import xllamacpp


def main(arguments: list[str]) -> None:
    """Serve until a signal says to stop."""
    ending = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    params = xllamacpp.CommonParams()
    for argument in arguments:
        name, _, value = argument.partition("=")
        _set(params, name, value)
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        sys.exit(str(error))
    signal.sigwait(ending)
    del server


def _set(params: object, name: str, value: str) -> None:
    *owners, last = name.split(".")
    for owner in owners:
        params = getattr(params, owner)
    setattr(params, last, _as_type_of(getattr(params, last), value))


def _as_type_of(current: object, value: str) -> object:
    match current:
        case bool():
            return value == "true"
        case enum.Enum():
            return type(current)[value]
        case int() | float():
            return type(current)(value)
        case set():
            return {value}
        case list():
            return [value]
        case _:
            return value


if __name__ == "__main__":
    main(sys.argv[1:])

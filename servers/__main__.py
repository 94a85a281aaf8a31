"""`python -m servers`: which servers can run here, how, and with which Amplifier settings."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from servers.attach import amplifier_settings
from servers.catalog import list_servers, load_server
from servers.errors import ServerDied, ServersError
from servers.image import build_image
from servers.launch import find_server, launch
from servers.spec import ServerSpec
from servers.target import ModelPaths, Target
from servers.ways import doctor, engine_here, ways

WEIGHTS = Path(__file__).parents[1] / "fixtures" / "model" / "weights"
EXAMPLES = """\
examples:
  python -m servers list
  python -m servers start vllm@0.32.0
  python -m servers recipe ollama
  python -m servers image llamacpp --base debian:bookworm-slim
"""


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 2 with a sentence and a hint on standard error."""
    chosen = _parser().parse_args(arguments)
    try:
        chosen.run(chosen)
    except ServersError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"{error.filename or 'a file'} can't be had: {error.strerror}\n")
        return 2
    except KeyboardInterrupt:
        say("stopped")
    return 0


def say(line: str) -> None:
    """A line on standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m servers",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", help="what can run here, and what can't and why").set_defaults(
        run=_list
    )
    start = commands.add_parser("start", help="start one with the tiny model; Ctrl-C stops it")
    start.add_argument("name", help="NAME[@VERSION][,how=container][,image=IMAGE]")
    start.add_argument("--port", type=int, help="default: one that the system chooses")
    start.set_defaults(run=_start)
    recipe = commands.add_parser("recipe", help="how to start one, and the settings that work")
    recipe.add_argument("name", metavar="NAME")
    recipe.set_defaults(run=_recipe)
    image = commands.add_parser("image", help="make its image here, where it can't be pulled")
    image.add_argument("name", metavar="NAME")
    image.add_argument("--base", required=True, help="a Debian or Ubuntu image to build on")
    image.set_defaults(run=_image)
    commands.add_parser("doctor", help="what this machine has of what servers need").set_defaults(
        run=_doctor
    )
    return parser


def _list(_: argparse.Namespace) -> None:
    engine = engine_here()
    for name in list_servers():
        spec = load_server(name)
        say(f"{name}: {spec.title} {_release(spec)}".rstrip())
        for way in ways(spec, engine):
            say(f"  {way}")


def _release(spec: ServerSpec) -> str:
    if spec.native is None:
        return ""
    first = spec.native.releases[0]
    return f"{first.version} {first.build}"


def _start(chosen: argparse.Namespace) -> None:
    model = ModelPaths("tiny", WEIGHTS / "tiny.gguf", WEIGHTS / "safetensors", "")
    log = Path(tempfile.mkdtemp(prefix="servers-")) / "server.log"  # stays for who has to read it
    spec = find_server(chosen.name)
    with launch(spec, model=model, log=log, port=chosen.port, progress=say) as target:
        say(_introduction(target))
        while not (sentence := target.died()):
            time.sleep(0.2)
    raise ServerDied(sentence, f"its whole log: {log}")


def _introduction(target: Target) -> str:
    return f"""\
{target.title} {target.version} {target.build} listens; Ctrl-C stops it
base URL: {target.url}
model:    {target.model}
Amplifier settings.yaml:
{amplifier_settings(target.url, target.model)}"""


def _recipe(chosen: argparse.Namespace) -> None:
    spec = load_server(chosen.name)
    say(f"# {spec.title}: {spec.homepage}\n{spec.recipe.start}\n")
    say(f"# Amplifier settings.yaml\n{spec.recipe.settings}")
    if spec.recipe.notes:
        say(spec.recipe.notes)


def _image(chosen: argparse.Namespace) -> None:
    tag = build_image(load_server(chosen.name), chosen.base, say)
    say(f"pytest --server={chosen.name},how=container,image={tag}")


def _doctor(_: argparse.Namespace) -> None:
    for line in doctor(engine_here()):
        say(line)


if __name__ == "__main__":
    sys.exit(main())

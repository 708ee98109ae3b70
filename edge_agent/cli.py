"""`python -m edge_agent run | enroll | doctor | replay`: parses, calls, prints."""

import argparse
import asyncio
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from edge_agent.config import AgentConfig, BadConfig, load_config
from edge_agent.identity import BadIdentity, IdentityFiles, NotEnrolled
from edge_agent.logs import configure_logs

_STOPPED: Final = 130
"""What shells expect of a program that Ctrl-C ended."""
_MAX_FPS: Final = 1000.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        config = load_config(options.config, ledger=getattr(options, "ledger", None))
    except BadConfig as error:
        return _fail(f"settings: {error}")
    configure_logs(config.log_format, config.log_level)
    match options.command:
        case "run":
            return _run(config)
        case "enroll":
            return _enroll(config, options)
        case "replay":
            return _replay(config, options)
        case _:
            return _doctor(config)


def _run(config: AgentConfig) -> int:
    from edge_agent.app import run_agent  # noqa: PLC0415 OpenVINO takes a second to load
    from edge_agent.spool.database import SpoolRefused  # noqa: PLC0415 as above

    try:
        return asyncio.run(run_agent(config))
    except (NotEnrolled, BadIdentity) as error:
        return _fail(str(error))
    except SpoolRefused as error:
        return _fail(f"the outbox in {config.data_dir} cannot be opened: {error}")
    except OSError as error:
        return _fail(f"{config.data_dir} cannot be used: {error}")


def _enroll(config: AgentConfig, options: argparse.Namespace) -> int:
    from edge_agent.enroll import NotJoined, enroll  # noqa: PLC0415 as above

    files = IdentityFiles(config.data_dir)
    try:
        if options.new_key:
            files.forget_key()
        membership = enroll(
            files, hub_url=options.hub, token=_typed(options.token), name=options.name
        )
    except (NotJoined, BadIdentity) as error:
        return _fail(f"not enrolled: {error}")
    _say(
        f"enrolled as {options.name} ({membership.agent_id}) at "
        f"{membership.organization}, {membership.site}"
    )
    return 0


def _doctor(config: AgentConfig) -> int:
    from edge_agent.clock import utc_now  # noqa: PLC0415 as above
    from edge_agent.doctor import Doctor  # noqa: PLC0415 as above

    is_well = True
    for finding in Doctor(config, now=utc_now).findings():
        _say(finding.line())
        is_well = is_well and finding.is_ok
    return 0 if is_well else 1


def _replay(config: AgentConfig, options: argparse.Namespace) -> int:
    from edge_agent.replay_command import CannotReplay, Errand, replay  # noqa: PLC0415 as above

    errand = Errand(
        video=options.video,
        bundle=options.bundle or config.bundle,
        out=options.out,
        scene=options.scene,
        labels=options.labels,
        score_threshold=options.score,
        fps=options.fps,
    )
    try:
        summary = replay(errand, device=config.device, cache_dir=config.resolved_cache_dir)
    except CannotReplay as error:
        return _fail(f"no replay: {error}")
    return 0 if summary.is_complete else _STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m edge_agent", description=__doc__)
    parser.add_argument("--config", type=Path, help="settings as TOML, beside FARWATCH_* variables")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="watch the cameras that the hub names")
    run.add_argument("--ledger", type=Path, help="note every result there, for tests")
    enroll = commands.add_parser("enroll", help="join a hub with a one-time token")
    enroll.add_argument("--hub", required=True, help="its address, as https://hub.example.org")
    enroll.add_argument("--token", required=True, help="shown once by the hub; - reads it")
    enroll.add_argument("--name", default=socket.gethostname() or "agent", help="for people")
    enroll.add_argument("--new-key", action="store_true", help="after the old one was revoked")
    commands.add_parser("doctor", help="say what is wrong, in plain words")
    _add_replay(commands.add_parser("replay", help="run a recorded video through the pipeline"))
    return parser


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("video", type=Path)
    parser.add_argument("--bundle", type=Path, help="its folder; else FARWATCH_BUNDLE")
    parser.add_argument("--out", type=Path, help="JSON Lines; without it they are printed")
    parser.add_argument("--scene", type=Path, help="zones, lines and rules, as JSON")
    parser.add_argument("--labels", type=_comma_list, default=(), help="only these: person,car")
    parser.add_argument("--score", type=_share, default=0.4, help="threshold, 0..1 (%(default)s)")
    parser.add_argument("--fps", type=_rate, help="look at so many pictures a second; else all")


def _comma_list(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _share(text: str) -> float:
    share = float(text)
    if not 0.0 <= share <= 1.0:
        raise argparse.ArgumentTypeError("it lies between 0 and 1")
    return share


def _rate(text: str) -> float:
    rate = float(text)
    if not 0.0 < rate <= _MAX_FPS:
        raise argparse.ArgumentTypeError(f"it is more than 0 and at most {_MAX_FPS:.0f}")
    return rate


def _typed(given: str) -> str:
    """Return what was given, or read it: then nobody who lists the processes here sees it."""
    return sys.stdin.readline().strip() if given == "-" else given


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _fail(text: str) -> int:
    sys.stderr.write(text + "\n")
    return 1

"""`python -m processing.tier`: judge pictures for agents and other programs, until SIGTERM."""

import asyncio
import sys
from importlib.util import find_spec

from processing.tier.program.config import BadConfig, TierConfig, load_config, read_token
from processing.tier.program.logs import configure_logs


def main() -> int:
    """Run the tier; return the exit status."""
    try:
        config = load_config()
        token = read_token(config)
    except BadConfig as error:
        return _fail(f"settings: {error}")
    configure_logs(config.log_format, config.log_level)
    return _run(config, token)


def _run(config: TierConfig, token: str) -> int:
    from processing.tier.program.app import run_tier  # noqa: PLC0415 OpenVINO takes a second to load

    loop_factory = None
    if find_spec("uvloop") is not None:
        from uvloop import new_event_loop  # noqa: PLC0415 absent on Windows

        loop_factory = new_event_loop
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(run_tier(config, token))
    except BadConfig as error:
        return _fail(f"settings: {error}")
    except OSError as error:
        return _fail(str(error))
    return 0


def _fail(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())

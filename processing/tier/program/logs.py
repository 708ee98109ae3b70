"""Logs are events with fields, on stderr, each with the id of its request."""

import logging
import sys
from typing import Final, Literal

import structlog

_QUIET: Final = ("uvicorn", "httpx", "httpcore", "grpc", "asyncio")
"""A line a request is the proxy's business; what these warn of still comes."""


def configure_logs(form: Literal["console", "json"], level: str) -> None:
    """Set up logging for this process; call once, first."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Forwarder()], force=True)
    logging.captureWarnings(capture=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Whatever is no HTTP is answered 400; a line for each would be strangers' to write.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


class _Forwarder(logging.Handler):
    """Turns what libraries log into events of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            "library",
            of=record.name,
            text=record.getMessage(),
            exc_info=record.exc_info,
        )

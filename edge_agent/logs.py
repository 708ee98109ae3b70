"""Logs are events with fields, on stderr, and never hold a password."""

import logging
import re
import sys
from typing import Final, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_CREDENTIALS: Final = re.compile(r"(://)[^/\s]*@")


def without_credentials(text: str) -> str:
    """Return the text with `://user:password@` of every address made unreadable."""
    return _CREDENTIALS.sub(r"\1***@", text)


def configure_logs(form: Literal["console", "json"], level: str) -> None:
    """Set up logging for this process; call once, first."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    # What libraries say through the standard library, from warnings up, without their chatter.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    logging.getLogger("websockets").setLevel(logging.ERROR)


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {
        key: without_credentials(value) if isinstance(value, str) else value
        for key, value in event.items()
    }

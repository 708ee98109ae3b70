"""Logs are events with fields, on stderr, and never hold a password."""

import logging
import re
import sys
from typing import Final, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_CREDENTIALS: Final = re.compile(r"(://)[^/\s]*@")
_IN_QUERIES: Final = re.compile(
    r"(?i)([?&/_;](?:user(?:name)?|usr|pass(?:word|wd)?|pwd|token|secret|auth|key)=)[^&/\s'\"]+"
)
"""Some cameras want both in the address itself: `/user=admin_password=secret_channel=1`."""


def without_credentials(text: str) -> str:
    """Return the text with user and password of every address in it made unreadable."""
    return _IN_QUERIES.sub(r"\1***", _CREDENTIALS.sub(r"\1***@", text))


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
        cache_logger_on_first_use=False,  # the agent logs little; a test may change where to
    )
    # What libraries say through the standard library, from warnings up, without their chatter.
    logging.basicConfig(level=logging.WARNING, handlers=[_Forwarder()], force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("websockets").setLevel(logging.ERROR)


class _Forwarder(logging.Handler):
    """Turns what libraries log into events of ours: one form, and no password either."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            "library",
            of=record.name,
            text=record.getMessage(),
            exc_info=record.exc_info,
        )


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: _redacted(value) for key, value in event.items()}


def _redacted(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return without_credentials(value)
        case dict():
            return {key: _redacted(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_redacted(inner) for inner in value]
        case _:
            return without_credentials(str(value))

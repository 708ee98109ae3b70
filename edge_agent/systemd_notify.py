"""Tells systemd that the agent has begun, is alive, ends: the protocol of sd_notify(3).

One datagram a message, lines of NAME=VALUE, to the socket that systemd names in the environment.
https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import Final

import structlog

from edge_agent.liveness import Check, troubles

_SIGNS_PER_TIMEOUT: Final = 3
"""systemd asks for two; a third is for a machine that is very busy."""

log = structlog.get_logger()


class ServiceManager:
    """systemd, if it has started us; else nobody, and nothing is said to anybody."""

    def __init__(self, address: str, *, watchdog_usec: int) -> None:
        """Take what systemd put into NOTIFY_SOCKET (`@` begins an abstract name) and WATCHDOG_USEC.

        Empty and 0 if it did not.
        """
        self._address: Final = "\0" + address[1:] if address.startswith("@") else address
        self._timeout_s: Final = watchdog_usec / 1e6
        self._is_missed = False
        self._stuck: list[str] = []

    def ready(self, status: str) -> None:
        """Say that the agent works; what waits for it may begin."""
        self._tell("READY=1", f"STATUS={_one_line(status)}")

    def status(self, text: str) -> None:
        """Say in words how it is, for `systemctl status`."""
        self._tell(f"STATUS={_one_line(text)}")

    def stopping(self) -> None:
        """Say that the agent ends because it was asked to."""
        self._tell("STOPPING=1")

    async def show_life(self, checks: Sequence[Check]) -> None:
        """Give signs of life until cancelled, but none while a check says that something is stuck.

        It runs on the event loop, so a loop that hangs gives none either. Without a watchdog the
        checks are made all the same, and what they find is logged.
        """
        every_s = self._timeout_s / _SIGNS_PER_TIMEOUT if self._timeout_s else 10.0
        while True:
            stuck = troubles(checks)
            if not stuck and self._timeout_s:
                self._tell("WATCHDOG=1")
            self._note(stuck)
            await asyncio.sleep(every_s)

    def _note(self, stuck: list[str]) -> None:
        """Log what gets stuck and what gets loose, once each."""
        if bool(stuck) != bool(self._stuck):
            if stuck:
                log.critical("agent.stuck", reasons=stuck, restart_in_s=self._timeout_s or None)
                self.status("stuck: " + "; ".join(stuck))
            else:
                log.warning("agent.moves_again", reasons=self._stuck)
                self.status("working")
        self._stuck = stuck

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        message = "\n".join(lines).encode()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
                link.settimeout(0.0)
                link.sendto(message, self._address)
        except OSError as error:
            if not self._is_missed:
                log.warning("systemd.unreachable", socket=self._address, reason=str(error))
            self._is_missed = True
        else:
            self._is_missed = False


def _one_line(text: str) -> str:
    return " ".join(text.split())

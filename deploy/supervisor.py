"""Child processes with readable, prefixed logs: started, started again when they die, stopped."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

PATIENCE_S: Final = 4.0
"""From SIGTERM to SIGKILL; stopping everything takes no longer than 5 s."""
RESTARTS: Final = 5
RESTARTS_WITHIN_S: Final = 60.0
_LINE_LIMIT: Final = 1024 * 1024
_COLOURS: Final = ("36", "33", "35", "32")


class ChildGaveUp(Exception):
    """A child keeps dying; the log above says why."""


@dataclass(frozen=True)
class Program:
    """A command to keep running."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Keeps programs running until told to stop; stops the last started first."""

    def __init__(self) -> None:
        self._children: list[tuple[Program, asyncio.subprocess.Process]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._is_stopping = False
        self._gave_up = asyncio.Event()
        self._reason = ""

    async def gave_up(self) -> None:
        """Wait until a program cannot be kept running; raise `ChildGaveUp`."""
        await self._gave_up.wait()
        raise ChildGaveUp(self._reason)

    async def start(self, program: Program) -> None:
        """Start `program` and keep it running."""
        colour = _COLOURS[len(self._tasks) % len(_COLOURS)]
        child = await _spawn(program)
        self._tasks.append(asyncio.create_task(self._keep(program, child, colour)))

    async def run(self, program: Program) -> int:
        """Run `program` to its end with its log prefixed; return its exit status."""
        child = await _spawn(program)
        await _relay(program.name, child, "90")
        return await child.wait()

    async def stop(self) -> None:
        """Ask all to stop, newest first, wait, and kill what has not."""
        self._is_stopping = True
        for _, child in reversed(self._children):
            if child.returncode is None:
                child.send_signal(signal.SIGTERM)
        _, late = await asyncio.wait(self._tasks, timeout=PATIENCE_S) if self._tasks else ((), ())
        if late:
            for _, child in self._children:
                if child.returncode is None:
                    child.kill()
            await asyncio.wait(self._tasks, timeout=1.0)

    async def _keep(self, program: Program, child: asyncio.subprocess.Process, colour: str) -> None:
        deaths: list[float] = []
        while True:
            self._children.append((program, child))
            await _relay(program.name, child, colour)
            status = await child.wait()
            self._children.remove((program, child))
            if self._is_stopping:
                return
            deaths = [at for at in deaths if time.monotonic() - at < RESTARTS_WITHIN_S]
            deaths.append(time.monotonic())
            say(program.name, f"ended with status {status}; starting it again", "31")
            if len(deaths) > RESTARTS:
                self._reason = f"{program.name} keeps ending"
                self._gave_up.set()
                return
            await asyncio.sleep(min(2.0 ** (len(deaths) - 2), 8.0))
            child = await _spawn(program)


def say(name: str, line: str, colour: str = "90") -> None:
    """Print one line with the prefix of `name`."""
    prefix = f"{name:<6}| "
    if sys.stdout.isatty():
        prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
    print(prefix + line, flush=True)


async def output_of(program: Program) -> bytes:
    """Run `program` to its end and return what it printed; its errors go to our stderr."""
    child = await asyncio.create_subprocess_exec(
        *program.command, env={**os.environ, **program.environment}, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await child.communicate()
    if child.returncode != 0:
        raise ChildGaveUp(f"{program.name} ended with status {child.returncode}")
    return printed


async def _spawn(program: Program) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *program.command,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **program.environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C reaches us alone; we stop the others in order
        limit=_LINE_LIMIT,
    )


async def _relay(name: str, child: asyncio.subprocess.Process, colour: str) -> None:
    assert child.stdout is not None
    while line := await child.stdout.readline():
        say(name, line.decode(errors="replace").rstrip(), colour)

"""What the loop has done in the database's thread is told apart by whom it is for."""

import asyncio

import structlog

from webapp.gateway.database import DatabaseThread


def test_log_lines_of_the_thread_hold_what_those_of_the_loop_do() -> None:
    database = DatabaseThread()

    async def ask(agent: str) -> object:
        with structlog.contextvars.bound_contextvars(agent=agent):
            bound = await database.call(structlog.contextvars.get_contextvars)
        return bound.get("agent")

    async def ask_both() -> list[object]:
        return list(await asyncio.gather(ask("one"), ask("other")))

    assert asyncio.run(ask_both()) == ["one", "other"]
    database.stop()

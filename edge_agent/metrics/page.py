"""One page of everything that the agent counts, made anew whenever somebody asks."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from edge_agent.clock import Clock
from edge_agent.health import Health
from edge_agent.metrics.families import (
    EngineFigures,
    LinkFigures,
    OutboxFigures,
    agent_families,
    camera_families,
    clip_families,
    engine_families,
    link_families,
    outbox_families,
    overflow_families,
    process_families,
)
from edge_agent.metrics.process import this_process
from edge_agent.metrics.text import Family, render
from edge_agent.spool.database import SpoolDamaged, SpoolRefused

_OUTBOX_S: Final = 2.0
"""A disk that hangs must not hide all the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where figures come from. All are called on the event loop and return at once."""

    software: str
    now: Clock
    health: Health
    camera_names: Callable[[], Mapping[UUID, str]]
    link: Callable[[], LinkFigures]
    outbox: Callable[[], Future[OutboxFigures]]
    engine: Callable[[], EngineFigures | None]
    """None while there is no model."""
    clips_bytes: Callable[[], int]


async def metrics_page(sources: Sources) -> str:
    """Return the page; what the outbox does not tell in time is left out."""
    cameras = sources.health.figures()
    families: list[Family] = [
        *agent_families(software=sources.software, n_problems=len(sources.health.problems)),
        *camera_families(cameras, sources.camera_names()),
        *overflow_families(cameras, sources.camera_names()),
        *link_families(sources.link()),
        *clip_families(sources.clips_bytes()),
        *await _of_outbox(sources),
    ]
    engine, process = sources.engine(), this_process()
    if engine is not None:
        families += engine_families(engine)
    if process is not None:
        families += process_families(process)
    return render(families)


async def _of_outbox(sources: Sources) -> Iterable[Family]:
    try:
        async with asyncio.timeout(_OUTBOX_S):
            told = await asyncio.wrap_future(sources.outbox())
    except (TimeoutError, SpoolRefused, SpoolDamaged):
        return ()
    return outbox_families(told, sources.now())

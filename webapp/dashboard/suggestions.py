"""Cameras that an agent has found on its network, as a person picks from them."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from webapp.fleet.models import Agent

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A camera that answered; its path and its password are only known to people."""

    address: str
    name: str
    hardware: str
    source: str
    """Where its stream may begin."""
    is_watched: bool
    """Some camera of this agent has that address already."""


def suggestions(agent: Agent) -> list[Suggestion]:
    """Return what the agent has found, those that nobody watches first."""
    watched = {_host(source) for source in agent.cameras.values_list("source", flat=True)}
    found = [
        Suggestion(
            address=str(camera["address"]),
            name=str(camera.get("name") or camera["address"])[:_LONGEST_NAME],
            hardware=str(camera.get("hardware", "")),
            source=f"rtsp://{_bracketed(str(camera['address']))}:554/",
            is_watched=str(camera["address"]) in watched,
        )
        for camera in agent.found_cameras
    ]
    return sorted(found, key=lambda each: (each.is_watched, each.address))


def _host(source: str) -> str:
    try:
        return urlsplit(source).hostname or ""
    except ValueError:
        return ""


def _bracketed(address: str) -> str:
    """Return an address as a URL has it: IPv6 in brackets."""
    try:
        is_v6 = ipaddress.ip_address(address).version == 6  # noqa: PLR2004 - the name of a protocol
    except ValueError:
        is_v6 = False
    return f"[{address}]" if is_v6 else address

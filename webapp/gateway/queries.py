"""How this web process's gateway is doing, for `/healthz`."""

from dataclasses import dataclass

from webapp.gateway.gateway import gateway


@dataclass(frozen=True, slots=True)
class GatewayLoad:
    """What one process has on its hands."""

    n_agents_connected: int
    """To this process."""
    n_entries_waiting: int
    """Received, not yet committed."""


def gateway_load() -> GatewayLoad:
    """Return this process's."""
    return GatewayLoad(len(gateway.connections), gateway.writer.n_waiting)

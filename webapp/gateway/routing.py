"""Where agents connect."""

from typing import Final

from webapp.gateway.gateway import gateway
from webapp.gateway.socket import AgentSocket

AGENT_PATH: Final = "/agent/ws"
agent_socket = AgentSocket(gateway)

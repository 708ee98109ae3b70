"""What is no message ends its connection, in words, and nothing else."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.wire.codec import SUBPROTOCOL, SUBPROTOCOLS, Malformed, agent_codec, hub_codec
from processing.wire.limits import MAX_ENTRIES, MAX_MESSAGE_BYTES
from processing.wire.messages import Gap, StateReport
from tests.factories import START
from tests.webapp.gateway.double import Socket, connect, make_batch, make_entry, make_hello
from webapp.events.models import Event
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.gateway.database import DatabaseThread
from webapp.gateway.socket import AgentSocket
from webapp.results.models import Result

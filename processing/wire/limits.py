"""How much a message may hold at the most, in one place for both ends."""

from typing import Final

MAX_MESSAGE_BYTES: Final = 512 * 1024
"""Of one websocket message from an agent; the hub's server refuses 1 MiB and more by itself."""

MAX_ENTRIES: Final = 500
"""Entries in one batch."""

MAX_DETECTIONS: Final = 300
"""Detections in one result, sample or live picture."""

MAX_PICTURE_BYTES: Final = 400 * 1024
"""Of one JPEG in a sample or a live picture."""

MAX_EMBEDDING_BYTES: Final = 4096
"""Of one embedding: two bytes a value."""

MAX_FRAGMENT_BYTES: Final = 300 * 1024
"""Of one fragment of live video; a camera whose pictures are larger is shown as JPEGs."""

MAX_INIT_BYTES: Final = 8 * 1024
"""Of what a player must know before the first fragment."""

MAX_POINTS: Final = 64
"""Corners of one zone."""

MAX_ZONES: Final = 32
"""Zones of one camera; as many lines, and as many privacy zones."""

MAX_RULES: Final = 64
"""Rules of one camera."""

MAX_CLIP_BYTES: Final = 96 * 1024 * 1024
"""Of one clip that the hub asks an agent for."""

MAX_LABELS: Final = 4096
MAX_TEXT: Final = 2000
MAX_NAME: Final = 200
MAX_CAMERAS: Final = 256

FUTURE_TOLERANCE_S: Final = 120.0
"""An instant further ahead of the hub's clock than this is refused: the agent's clock is off."""

PAST_TOLERANCE_S: Final = 45 * 86_400.0
"""An instant further back than this is refused: no outbox keeps data that long."""

HANDSHAKE_TIMEOUT_S: Final = 5.0
HEARTBEAT_S: Final = 10.0
"""The agent reports its state this often; the hub takes it for offline after three misses."""

CREDIT_BATCHES: Final = 16
"""Batches an agent may have in flight, unacknowledged, over all lanes..."""

CREDIT_BYTES: Final = 8 * MAX_MESSAGE_BYTES
"""...but with so many bytes of entries in flight it sends no more: an alert waits behind them."""

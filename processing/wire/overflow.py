"""What of a camera's frames was judged where, and what that cost."""

from msgspec import Struct

from processing.wire.fields import Count, Instant, Text


class OverflowState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The counts since `since_at`; none of them ever falls."""

    since_at: Instant
    """When counting began: the counts outlive the agent's program, not its data folder."""
    n_local: Count = 0
    """Judged by the agent's own network."""
    n_cloud: Count = 0
    """Judged in the cloud, in time."""
    n_saturated: Count = 0
    """Sent to the cloud because the agent had no time for them..."""
    n_doubtful: Count = 0
    """...because it was in doubt..."""
    n_always: Count = 0
    """...or because all were to be."""
    n_refused: Count = 0
    """Sent, and the cloud would not."""
    n_late: Count = 0
    """Sent, and not answered within their budget."""
    n_failed: Count = 0
    """Sent, and the cloud could not be reached, or broke."""
    n_over_budget: Count = 0
    """Not sent: the day's money or bytes were used up."""
    n_unknown: Count = 0
    """Things that the cloud found and that the agent's network has no word for: left out."""
    n_bytes: Count = 0
    """Of pictures that were sent."""
    micros: Count = 0
    """What it cost, in millionths of the currency of `messages.OverflowAccess.price_per_1000`."""
    reason: Text = ""
    """Why the cloud is not used just now, in words; empty while it is."""

"""Which network judges frames now, and how another takes over. Every frame has one judge."""

import threading
from collections import Counter
from dataclasses import dataclass

from processing.inference.detector import Detector


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """An open engine, and what results must say of it."""

    engine: Detector
    bundle: bytes
    labels: tuple[str, ...]


class Duty:
    """Any thread may call.

    Whoever shows a frame, or pieces of it, to a network calls `begin` before and `end` once it is
    answered; all of it goes to the network that `begin` returned. So one that was relieved is
    known to be free of frames, and may be closed, when everything begun with it has ended.
    """

    def __init__(self, network: Network) -> None:
        self._changed = threading.Condition()
        self._network = network
        self._n_begun: Counter[Network] = Counter()

    @property
    def network(self) -> Network:
        """Return the one that judges the next frame."""
        with self._changed:
            return self._network

    def begin(self) -> Network:
        """Return the network that judges the frame in hand, which stays open until `end`."""
        with self._changed:
            self._n_begun[self._network] += 1
            return self._network

    def end(self, network: Network) -> None:
        """Say that a frame begun with this network is answered, or was not taken."""
        with self._changed:
            self._n_begun[network] -= 1
            if not self._n_begun[network]:
                del self._n_begun[network]
                self._changed.notify_all()

    def hand_over(self, network: Network) -> Network:
        """Let this network judge all frames from now on; return the one that it relieves."""
        with self._changed:
            relieved, self._network = self._network, network
            return relieved

    def wait_ended(self, network: Network, *, timeout_s: float) -> bool:
        """Return whether all that was begun with this network has ended, within some seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: network not in self._n_begun, timeout_s)

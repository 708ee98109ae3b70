"""Our own agent is a client like others: the real tier judges its picture, or says no."""

import cv2
import numpy as np
import pytest

from edge_agent.overflow.access import Ticket
from edge_agent.overflow.exchange import Declined, ask, is_well, open_client
from edge_agent.overflow.reading import read_judged
from processing.pipeline.tiling import Crop
from tests.clients.conftest import RunningTier
from tests.processing.tiny_bundle import SIDE


@pytest.fixture
def jpeg(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    """The picture as an agent sends it, with as little lost as a JPEG can."""
    quality = (cv2.IMWRITE_JPEG_QUALITY, 100)
    done, content = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), quality)
    assert done
    return content.tobytes()


def test_it_works(running_tier: RunningTier, jpeg: bytes) -> None:
    ticket = Ticket(f"http://{running_tier.http}", "open", 0, "", ())
    with open_client(1) as client:
        assert is_well(client, ticket.url)
        judged = ask(client, ticket, jpeg, model=running_tier.model, sticky="c", left_s=20.0)
        with pytest.raises(Declined) as refused:
            ask(client, ticket, jpeg, model="no-such-model", sticky="c", left_s=20.0)
    read = read_judged(
        judged, Crop(0, 0, SIDE, SIDE), tuple(each.name for each in judged.detections)
    )
    assert len(read.answered.found) == len(judged.detections) >= 1
    assert "green" in {each.name for each in judged.detections}
    assert read.answered.tongue.bundle.hex() == judged.version
    assert not refused.value.concerns_all

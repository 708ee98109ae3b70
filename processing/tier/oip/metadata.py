"""What the protocol, and Triton's extensions of it that clients use, tell of a server's models."""

from collections.abc import Sequence
from typing import Final

from processing.tier.contract import ModelStatus
from processing.tier.front.door import Tally
from processing.tier.oip.signature import INPUTS, OUTPUTS, Slot

SERVER_NAME: Final = "farwatch"
EXTENSIONS: Final = (
    "binary_tensor_data", "model_configuration", "model_repository", "schedule_policy",
    "statistics",
)  # fmt: skip
PLATFORM: Final = "farwatch_detection"
STATES: Final = {
    "ready": "READY",
    "loading": "LOADING",
    "unloading": "UNLOADING",
    "failed": "UNAVAILABLE",
}
_NS_IN_MS: Final = 1_000_000


def model_metadata(statuses: Sequence[ModelStatus]) -> dict[str, object]:
    """Return the metadata of a model by all its versions."""
    return {
        "name": statuses[0].model,
        "versions": [status.digest for status in statuses],
        "platform": PLATFORM,
        "inputs": [_slot(slot) for slot in INPUTS],
        "outputs": [_slot(slot) for slot in OUTPUTS],
        "properties": properties(statuses[0]),
    }


def model_config(statuses: Sequence[ModelStatus]) -> dict[str, object]:
    """Return Triton's configuration, as far as it applies."""
    return {
        "name": statuses[0].model,
        "platform": PLATFORM,
        "backend": SERVER_NAME,
        "max_batch_size": 0,
        "input": [
            {"name": slot.name, "data_type": type_name(slot), "dims": slot.shape, "optional": True}
            for slot in INPUTS
        ],
        "output": [
            {"name": slot.name, "data_type": type_name(slot), "dims": slot.shape}
            for slot in OUTPUTS
        ],
        "parameters": {
            name: {"string_value": value} for name, value in properties(statuses[0]).items()
        },
    }


def model_stats(statuses: Sequence[ModelStatus], tallies: Sequence[Tally]) -> dict[str, object]:
    """Return Triton's statistics of a model's versions."""
    return {
        "model_stats": [
            {
                "name": status.model,
                "version": status.digest,
                "last_inference": int(tally.last_at * 1000),
                "inference_count": tally.n_answered,
                "execution_count": tally.n_answered,
                "inference_stats": durations(tally),
                "batch_stats": [],
            }
            for status, tally in zip(statuses, tallies, strict=True)
        ]
    }


def durations(tally: Tally) -> dict[str, dict[str, int]]:
    """Return how often what took how long, as Triton names it."""
    n = tally.n_answered
    total_ms = tally.waited_ms + tally.decode_ms + tally.infer_ms
    return {
        "success": {"count": n, "ns": int(total_ms * _NS_IN_MS)},
        "fail": {"count": tally.n_failed, "ns": 0},
        "queue": {"count": n, "ns": int(tally.waited_ms * _NS_IN_MS)},
        "compute_input": {"count": n, "ns": int(tally.decode_ms * _NS_IN_MS)},
        "compute_infer": {"count": n, "ns": int(tally.infer_ms * _NS_IN_MS)},
        "compute_output": {"count": n, "ns": 0},
    }


def repository_index(statuses: Sequence[ModelStatus], *, only_ready: bool) -> list[dict[str, str]]:
    """Return every version that is served, or fails to be."""
    return [
        {
            "name": status.model,
            "version": status.digest,
            "state": STATES[status.state],
            "reason": status.reason,
        }
        for status in statuses
        if status.state == "ready" or not only_ready
    ]


def type_name(slot: Slot) -> str:
    """Return the datatype as Triton's configuration names it."""
    return "TYPE_STRING" if slot.datatype == "BYTES" else f"TYPE_{slot.datatype}"


def _slot(slot: Slot) -> dict[str, object]:
    return {"name": slot.name, "datatype": slot.datatype, "shape": slot.shape}


def properties(status: ModelStatus) -> dict[str, str]:
    """Return what clients may want to know besides: labels, one a line, and the network's input."""
    return {
        "labels": "\n".join(status.labels),
        "input_width": str(status.input_width),
        "input_height": str(status.input_height),
        "bundle": status.name,
    }

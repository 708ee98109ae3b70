"""An inference of the protocol, whichever way it came: from tensors to tensors."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from processing.tier.contract import MAX_BUDGET_MS, Answer, Inquiry, Urgency
from processing.tier.front.door import Door
from processing.tier.oip.signature import check_output_names, read_inputs, write_outputs
from processing.tier.oip.tensors import BadTensor, Tensor
from processing.wire.tier import Grant

DEFAULT_BUDGET_MS: Final = 10_000.0
MAX_ID: Final = 200
MAX_STICKY: Final = 200
_US_IN_MS: Final = 1000.0

Parameter: TypeAlias = str | int | float | bool
Parameters: TypeAlias = Mapping[str, Parameter]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a client asks of a model."""

    model: str
    version: str = ""
    id: str = ""
    """The client's own; it comes back with the answer."""
    parameters: Parameters = field(default_factory=dict)
    tensors: Sequence[Tensor] = ()
    outputs: Sequence[str] = ()
    """By name; none: all."""
    is_text: bool = False
    """Whether bytes came as text, that is, as base64."""
    most_ms: float = MAX_BUDGET_MS
    """How long the transport waits for the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The answer."""

    model: str
    version: str
    id: str
    parameters: Parameters
    tensors: Sequence[Tensor]


async def infer(door: Door, grant: Grant, asked: Asked) -> Told:
    """Have the pictures judged. Raise `BadTensor` or a `Refused`."""
    if len(asked.id) > MAX_ID:
        raise BadTensor(f"an id has at most {MAX_ID} characters")
    check_output_names(asked.outputs)
    if asked.is_text:  # base64 takes a millisecond a megabyte
        question = await asyncio.to_thread(read_inputs, asked.tensors, is_text=True)
    else:
        question = read_inputs(asked.tensors, is_text=False)
    budget_ms = min(_budget_ms(asked.parameters), asked.most_ms)
    sticky = asked.parameters.get("sticky", "")
    if not isinstance(sticky, str) or len(sticky) > MAX_STICKY:
        raise BadTensor(f"parameter 'sticky' is text of at most {MAX_STICKY} characters")
    urgency = _urgency(asked.parameters)
    answers = await door.judge(
        grant,
        [
            Inquiry(
                picture=picture,
                model=asked.model,
                budget_ms=budget_ms,
                tenant=str(grant.organization_id),
                version=asked.version,
                sticky=sticky,
                urgency=urgency,
            )
            for picture in question.pictures
        ],
    )
    return Told(
        model=asked.model,
        version=answers[0].version,
        id=asked.id,
        parameters=_timings(answers),
        tensors=write_outputs(answers, question.min_score, asked.outputs),
    )


def _budget_ms(parameters: Parameters) -> float:
    """Return what `timeout`, in microseconds, leaves; 0 is no limit but ours."""
    timeout = parameters.get("timeout", 0)
    if isinstance(timeout, bool | str) or not math.isfinite(timeout) or timeout < 0:
        raise BadTensor("parameter 'timeout' is a number of microseconds")
    return min(timeout / _US_IN_MS, MAX_BUDGET_MS) if timeout else DEFAULT_BUDGET_MS


def _urgency(parameters: Parameters) -> Urgency:
    """Return batch for any priority above 0, the protocol's highest."""
    priority = parameters.get("priority", 0)
    if isinstance(priority, bool | str) or priority < 0:
        raise BadTensor("parameter 'priority' is a number: 0 is urgent, any other is not")
    return "batch" if priority > 0 else "interactive"


def _timings(answers: Sequence[Answer]) -> Parameters:
    """Return the longest waits, since all pictures of a request wait side by side."""
    return {
        "version": answers[0].version,
        "waited_ms": max(answer.timings.waited_ms for answer in answers),
        "decode_ms": max(answer.timings.decode_ms for answer in answers),
        "infer_ms": max(answer.timings.infer_ms for answer in answers),
    }

"""The protocol over gRPC: what each method of `inference.GRPCInferenceService` answers."""

import asyncio
from dataclasses import dataclass
from typing import Final

from processing.tier.front.bodies import Bodies
from processing.tier.front.door import Door, Tally
from processing.tier.oip import metadata
from processing.tier.oip import open_inference_pb2 as pb
from processing.tier.oip.grpc_messages import read_request, write_answer
from processing.tier.oip.infer import infer
from processing.tier.oip.signature import INPUTS, OUTPUTS
from processing.wire.tier import Grant
from processing.wire.version import VERSION

_ON_THE_LOOP: Final = 256 * 1024
"""Larger requests are read on a thread."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls."""

    grant: Grant
    most_ms: float
    """How long they wait."""


class GrpcService:
    """Its methods raise what `refusals` and `tensors` name; who calls has been let in."""

    def __init__(self, door: Door, bodies: Bodies) -> None:
        self._door = door
        self._bodies = bodies

    async def live(self) -> pb.ServerLiveResponse:
        return pb.ServerLiveResponse(live=True)

    async def ready(self) -> pb.ServerReadyResponse:
        return pb.ServerReadyResponse(ready=self._door.is_ready())

    async def server(
        self, _asked: pb.ServerMetadataRequest, _caller: Caller
    ) -> pb.ServerMetadataResponse:
        return pb.ServerMetadataResponse(
            name=metadata.SERVER_NAME, version=VERSION, extensions=metadata.EXTENSIONS
        )

    async def model_ready(
        self, asked: pb.ModelReadyRequest, _caller: Caller
    ) -> pb.ModelReadyResponse:
        statuses = self._door.statuses(asked.name, asked.version)
        return pb.ModelReadyResponse(ready=any(each.state == "ready" for each in statuses))

    async def model(
        self, asked: pb.ModelMetadataRequest, _caller: Caller
    ) -> pb.ModelMetadataResponse:
        statuses = self._door.statuses(asked.name, asked.version)
        tensor = pb.ModelMetadataResponse.TensorMetadata
        return pb.ModelMetadataResponse(
            name=statuses[0].model,
            versions=[status.digest for status in statuses],
            platform=metadata.PLATFORM,
            inputs=[tensor(name=name, datatype=kind, shape=shape) for name, kind, shape in INPUTS],
            outputs=[
                tensor(name=name, datatype=kind, shape=shape) for name, kind, shape in OUTPUTS
            ],
            properties=metadata.properties(statuses[0]),
        )

    async def config(self, asked: pb.ModelConfigRequest, _caller: Caller) -> pb.ModelConfigResponse:
        statuses = self._door.statuses(asked.name, asked.version)
        config = pb.ModelConfig(
            name=statuses[0].model,
            platform=metadata.PLATFORM,
            backend=metadata.SERVER_NAME,
            input=[
                pb.ModelInput(
                    name=slot.name,
                    data_type=metadata.type_name(slot),
                    dims=slot.shape,
                    optional=True,
                )
                for slot in INPUTS
            ],
            output=[
                pb.ModelOutput(name=slot.name, data_type=metadata.type_name(slot), dims=slot.shape)
                for slot in OUTPUTS
            ],
        )
        return pb.ModelConfigResponse(config=config)

    async def statistics(
        self, asked: pb.ModelStatisticsRequest, _caller: Caller
    ) -> pb.ModelStatisticsResponse:
        statuses = (
            self._door.statuses(asked.name, asked.version)
            if asked.name
            else self._door.tier.models()
        )
        return pb.ModelStatisticsResponse(
            model_stats=[
                _stats(each.model, each.digest, self._door.tally(each.model, each.digest))
                for each in statuses
            ]
        )

    async def index(
        self, asked: pb.RepositoryIndexRequest, _caller: Caller
    ) -> pb.RepositoryIndexResponse:
        entries = metadata.repository_index(self._door.tier.models(), only_ready=asked.ready)
        index = pb.RepositoryIndexResponse.ModelIndex
        return pb.RepositoryIndexResponse(models=[index(**entry) for entry in entries])

    async def infer(self, asked: pb.ModelInferRequest, caller: Caller) -> pb.ModelInferResponse:
        with self._bodies.holding(n_bytes := asked.ByteSize()):
            if n_bytes > _ON_THE_LOOP:
                given = await asyncio.to_thread(read_request, asked, most_ms=caller.most_ms)
            else:
                given = read_request(asked, most_ms=caller.most_ms)
            told = await infer(self._door, caller.grant, given)
        return write_answer(told)


def _stats(model: str, version: str, tally: Tally) -> pb.ModelStatistics:
    return pb.ModelStatistics(
        name=model,
        version=version,
        last_inference=int(tally.last_at * 1000),
        inference_count=tally.n_answered,
        execution_count=tally.n_answered,
        inference_stats=pb.InferStatistics(
            **{
                name: pb.StatisticDuration(**duration)
                for name, duration in metadata.durations(tally).items()
            }
        ),
    )

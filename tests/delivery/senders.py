"""Senders that answer as they are told, without a network."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from helmwake.delivery.outcome import Answer, Delivered


def runs(request: bytes) -> list[int]:
    """The numbers of the traces in a request."""
    return [
        int(span.name.rpartition("-")[2])
        for resource_spans in ExportTraceServiceRequest.FromString(request).resource_spans
        for span in resource_spans.scope_spans[0].spans
        if not span.parent_span_id
    ]


Rule = Callable[[list[int], bytes], Answer]


def take_all(_: list[int], __: bytes) -> Answer:
    return Delivered()


@dataclass(slots=True, eq=False)
class FakeSender:
    """Answers by a rule, after a while, and remembers what came and when."""

    rule: Rule = take_all
    where: str = "fake:1"
    takes_s: float = 0.0
    requests: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    closed: int = 0

    async def send(self, request: bytes) -> Answer:
        self.requests.append(request)
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.takes_s)
        return self.rule(runs(request), request)

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.closed += 1

    @property
    def sent(self) -> list[list[int]]:
        return [runs(request) for request in self.requests]

    @property
    def gaps(self) -> list[float]:
        return [after - before for before, after in zip(self.times, self.times[1:], strict=False)]


def answers(*answers: Answer) -> Rule:
    """Give these in turn, then take everything."""
    left = list(answers)

    def rule(_: list[int], __: bytes) -> Answer:
        return left.pop(0) if left else Delivered()

    return rule

"""Instruments and what is measured with them. Names and units: semantic conventions, cicd."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from helmwake.telemetry.spans import SpanContext

DURATION_BUCKETS: Final = (
    1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0, 3600.0,
)  # fmt: skip


class InstrumentKind(StrEnum):
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    name: str
    kind: InstrumentKind
    unit: str
    description: str
    buckets: tuple[float, ...] = ()  # histograms only, in the instrument's unit


RUN_DURATION: Final = Instrument(
    name="cicd.pipeline.run.duration",
    kind=InstrumentKind.HISTOGRAM,
    unit="s",
    description="Duration of a Helm operation, from its start until its last rollout ended.",
    buckets=DURATION_BUCKETS,
)
RUN_ERRORS: Final = Instrument(
    name="cicd.pipeline.run.errors",
    kind=InstrumentKind.COUNTER,
    unit="{error}",
    description="Errors found in Helm operations, also those that did not fail one.",
)
SYSTEM_ERRORS: Final = Instrument(
    name="cicd.system.errors",
    kind=InstrumentKind.COUNTER,
    unit="{error}",
    description="What the operator itself could not do.",
)
INSTRUMENTS: Final = (RUN_DURATION, RUN_ERRORS, SYSTEM_ERRORS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One value for one instrument. A counter's `value` of 0 gives birth to its series."""

    instrument: Instrument
    value: float
    attributes: Mapping[str, str]
    exemplar: SpanContext | None = None

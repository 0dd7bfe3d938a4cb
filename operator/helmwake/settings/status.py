"""What a ReleaseObserver tells about itself."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints, WithJsonSchema

from helmwake.models import Model

MAX_ERROR_LENGTH: Final = 1024
MAX_MESSAGE_LENGTH: Final = 1024


class ConditionStatus(StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


Timestamp = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Reason = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", max_length=64)
]


class Condition(Model):
    """As metav1.Condition."""

    type: Annotated[str, StringConstraints(max_length=64)]
    status: ConditionStatus
    reason: Reason
    message: Annotated[str, StringConstraints(max_length=MAX_MESSAGE_LENGTH)]
    last_transition_time: Timestamp
    observed_generation: Annotated[int, Field(ge=0)] | None = None


class ObserverStatus(Model):
    observed_generation: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="The generation of the spec that this status speaks about."
    )
    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            max_length=8,
            description="Ready: the spec is valid and in force. "
            "Delivering: the backend takes what is sent.",
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
            },
        ),
    ] = ()
    last_error: Annotated[str, StringConstraints(max_length=MAX_ERROR_LENGTH)] | None = Field(
        default=None, description="What is wrong, in words; absent when nothing is."
    )

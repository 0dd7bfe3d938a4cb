"""What the ledger keeps, and for how long."""

from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field

from helmwake.models import Model
from helmwake.settings.age import Age

MAX_PER_RELEASE: Final = 1_000
# All of them are in etcd, which by default refuses every write of the cluster's once it holds
# 2 GiB. An entry is a few KiB, so that 50,000 are some 200 MiB; but it may be 64 KiB.
MAX_TOTAL: Final = 50_000


class Retention(Model):
    """What the ledger keeps. What was not delivered yet stays until `undeliveredAge`."""

    age: Age = Field(
        default=timedelta(days=7), description="How long an operation is kept. Default: 7d."
    )
    per_release: Annotated[int, Field(ge=1, le=MAX_PER_RELEASE)] = Field(
        default=20, description="How many operations of one release. Default: 20."
    )
    total: Annotated[int, Field(ge=1, le=MAX_TOTAL)] = Field(
        default=5_000, description="How many operations in all. Default: 5000."
    )
    undelivered_age: Age = Field(
        default=timedelta(days=30),
        description="How long an operation is kept that no backend has taken; at least as long "
        "as the others are. Default: 30d.",
    )

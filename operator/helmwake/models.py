"""What the models of both our resources have in common."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """Frozen; in camelCase outside, as Kubernetes has it.

    Unknown fields are let go: a newer version may have written them, a newer CRD before an
    older operator is the usual order of an upgrade, and the apiserver prunes what the CRD does
    not know.
    """

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        # Bad input may be secret, and must not be in any error.
        hide_input_in_errors=True,
    )

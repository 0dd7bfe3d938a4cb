"""From settings to something that sends."""

from collections.abc import Mapping

from helmwake.delivery.target import OtlpTarget, target_from_environment
from helmwake.settings.spec import Otlp


def traces_target(otlp: Otlp, environ: Mapping[str, str]) -> OtlpTarget | None:
    """Say where traces go; `None` where nobody said.

    Raises:
        BadTargetError: a value cannot be used.
    """
    return target_from_environment(environ, endpoint=otlp.endpoint, protocol=otlp.protocol)


def metrics_target(otlp: Otlp, environ: Mapping[str, str]) -> OtlpTarget | None:
    """Say where metrics go; `None` where nobody said, or OTEL_METRICS_EXPORTER says none.

    Raises:
        BadTargetError: a value cannot be used.
    """
    if environ.get("OTEL_METRICS_EXPORTER", "").strip() == "none":
        return None
    return target_from_environment(
        environ, signal="metrics", endpoint=otlp.endpoint, protocol=otlp.protocol
    )

"""Which source of settings wins: ReleaseObserver, flags, environment, defaults, in this order.

It is decided value by value: what a ReleaseObserver leaves open, the flags may
say. The namespace selector is one value; two of them are never mixed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, Self

from pydantic import ValidationError

from helmwake.settings.errors import BadSettingsError
from helmwake.settings.options import OPTIONS, Option
from helmwake.settings.settings import Settings
from helmwake.settings.spec import ObserverSpec

Values = Mapping[str, Any]  # nested by the model's aliases; only what was set
WHOLE: Final = "namespaceSelector"


@dataclass(frozen=True, slots=True)
class ObserverOverrides:
    """What a ReleaseObserver sets, checked."""

    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What this process was started with, checked. It holds for the process's life."""

    flags: Values
    environment: Values

    @classmethod
    def read(cls, *, flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Self:
        """Read flags by `Option.name` (None: not given), and HELMWAKE_* variables.

        Raises:
            BadSettingsError: it names the flag or variable and what is wanted.
        """
        given = {each: value for each in OPTIONS if (value := flags.get(each.name)) is not None}
        # An empty variable is one that is not set, as in OpenTelemetry.
        set_ = {each: value for each in OPTIONS if (value := environ.get(each.variable or ""))}
        return cls(
            flags=_check_options(given, name=lambda option: option.flag),
            environment=_check_options(set_, name=lambda option: option.variable or option.flag),
        )

    def settings(self, overrides: ObserverOverrides | None = None) -> Settings:
        """Merge all that is known now."""
        resource = overrides.values if overrides else {}
        return Settings.model_validate(_merge(self.environment, self.flags, resource))


def parse_observer(resource: Mapping[str, Any]) -> ObserverOverrides:
    """Check a ReleaseObserver.

    Raises:
        BadSettingsError: it names the path, such as spec.otlp.endpoint.
    """
    try:
        spec = ObserverSpec.model_validate(resource.get("spec") or {})
    except ValidationError as error:
        raise BadSettingsError.of(error, name=_path_in_spec) from error
    return ObserverOverrides(_only_set(spec))


def _path_in_spec(path: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in ("spec", *path))


def _check_options(given: Mapping[Option, str], *, name: Callable[[Option], str]) -> Values:
    values: dict[str, Any] = {}
    for option, text in given.items():
        values = _merge(values, _nest(option.path, option.read(text)))

    def name_of(path: tuple[str | int, ...]) -> str:
        return next(name(each) for each in OPTIONS if path[: len(each.path)] == each.path)

    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise BadSettingsError.of(error, name=name_of) from error
    return _only_set(settings)


def _only_set(model: ObserverSpec) -> Values:
    return model.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)


def _nest(path: Iterable[str], value: Any) -> dict[str, Any]:
    for part in reversed(tuple(path)):
        value = {part: value}
    nested: dict[str, Any] = value
    return nested


def _merge(*layers: Values) -> dict[str, Any]:
    """Later ones win."""
    return reduce(_laid_over, layers, {})


def _laid_over(below: dict[str, Any], above: Values) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        if isinstance(inner, dict) and isinstance(value, Mapping) and key != WHOLE:
            merged[key] = _laid_over(inner, value)
        else:
            merged[key] = value
    return merged

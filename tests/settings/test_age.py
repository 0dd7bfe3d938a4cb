from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from helmwake.ledger.retention import RetentionLimits
from helmwake.settings.age import Age, format_age, parse_age
from helmwake.settings.backfill import Backfill, BackfillSetting
from helmwake.settings.retention import Retention

AGE: TypeAdapter[timedelta] = TypeAdapter(Age)
BACKFILL: TypeAdapter[Backfill] = TypeAdapter(BackfillSetting)


@pytest.mark.parametrize(
    ("text", "hours"),
    [("7d", 168), ("168h", 168), ("1h", 1), ("36h", 36), ("1h30m", 1.5), ("999d", 23976)],
)
def test_days_and_gos_durations_are_read(text: str, hours: float) -> None:
    assert AGE.validate_python(text) == timedelta(hours=hours)


@pytest.mark.parametrize(
    "given",
    ["", "7", "d", "7 d", "-7d", "1d12h", "1.5d", "7D", "59m", "0d", "1000d", "01d", "23977h",
     "7d\n", "9" * 40 + "d", "none", "all", 7, None, True],
)  # fmt: skip
def test_others_are_refused_without_being_shown(given: object) -> None:
    with pytest.raises(ValidationError, match="an age from 1h to 999d") as caught:
        AGE.validate_python(given)

    assert caught.value.error_count() == 1


@pytest.mark.parametrize(
    ("text", "written"), [("7d", "7d"), ("168h", "7d"), ("36h", "36h"), ("90m", "1h30m")]
)
def test_an_age_is_written_in_days_where_they_are_whole(text: str, written: str) -> None:
    assert format_age(parse_age(text)) == written


@pytest.mark.parametrize(
    ("text", "reach"), [("24h", timedelta(hours=24)), ("none", timedelta()), ("all", None)]
)
def test_history_reaches_back_so_far(text: str, reach: timedelta | None) -> None:
    assert BACKFILL.validate_python(text).reach == reach


@pytest.mark.parametrize("text", ["none", "all", "7d", "36h"])
def test_a_backfill_is_written_as_it_was_read(text: str) -> None:
    assert str(BACKFILL.validate_python(text)) == text


@pytest.mark.parametrize("given", ["", "None", "ALL", "0h", "1m", "yes", 24, None])
def test_no_other_backfill_is_taken(given: object) -> None:
    with pytest.raises(ValidationError, match="none, all, or an age from 1h to 999d"):
        BACKFILL.validate_python(given)


def test_a_models_values_are_ages_and_not_their_texts() -> None:
    limits = RetentionLimits(**Retention(age=timedelta(days=2)).model_dump())

    assert limits == RetentionLimits(age=timedelta(days=2))

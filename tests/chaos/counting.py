"""What the operator's scrape endpoint says it has counted."""

from __future__ import annotations

from collections import Counter
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

DURATIONS: Final = "cicd_pipeline_run_duration_seconds_count"
ERRORS: Final = "cicd_pipeline_run_errors_total"


def counted(page: str, name: str) -> Counter[str]:
    """Sum a metric's samples by pipeline; those that are zero are left out."""
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == name:
                found[sample.labels["cicd_pipeline_name"]] += int(sample.value)
    return +found

"""A traceparent counts only if W3C says it is one."""

import pytest

from helmwake.facts.keptn import TraceParent, parse_traceparent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("03", True)]
)
def test_the_sampled_flag_is_one_bit(flags: str, sampled: bool) -> None:  # noqa: FBT001  # a table's column
    assert parse_traceparent(f"00-{TRACE}-{SPAN}-{flags}") == TraceParent(
        trace_id=TRACE, span_id=SPAN, sampled=sampled
    )


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-zz",
    ],
)
def test_an_invalid_one_is_as_good_as_none(text: str | None) -> None:
    assert parse_traceparent(text) is None

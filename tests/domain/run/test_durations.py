from __future__ import annotations

import pytest

from sluice.domain.run.durations import duration


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("500ms", 500_000),
        ("30s", 30_000_000),
        ("1.5s", 1_500_000),
        ("1h30m", 5_400_000_000),
        ("30d", 2_592_000_000_000),
        ("0.1ms", 100),
        ("", 0),
        (None, 0),
    ],
)
def test_durations_are_read_exactly(text, microseconds):
    assert duration(text) == microseconds


@pytest.mark.parametrize("text", ["5", "1 h", "-1s", "1w", "s", "1e3s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="write it as 30s"):
        duration(text)

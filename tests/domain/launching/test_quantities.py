"""Kubernetes' own spelling of quantities."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sluice.domain.launching.quantities import quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("250m", Fraction(1, 4)),
        ("1.5", Fraction(3, 2)),
        ("1.", 1),
        (".5", Fraction(1, 2)),
        ("512Mi", 512 * 2**20),
        ("0.5Gi", 2**29),
        ("2k", 2000),
        ("1E", 10**18),
        ("1e3", 1000),
        ("1E3", 1000),
        ("12e-1", Fraction(6, 5)),
        ("7n", Fraction(7, 10**9)),
        ("5u", Fraction(5, 10**6)),
        ("-1", -1),
    ],
)
def test_a_quantity_is_read_exactly(text: str, number: int | Fraction) -> None:
    assert quantity(text) == number


@pytest.mark.parametrize("text", ["", "Mi", "1 Gi", "1gi", "1KI", "1.2.3", "ten", "1e", "0x10", "١", "1e999"])
def test_what_is_no_quantity_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write one such as 250m or 512Mi"):
        quantity(text)

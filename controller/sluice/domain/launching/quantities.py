"""Quantities as Kubernetes spells them: ``250m``, ``1.5``, ``512Mi``, ``1e3``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final

_SUFFIXES: Final[Mapping[str, Fraction]] = MappingProxyType(
    {
        "": Fraction(1),
        **{suffix: Fraction(1, 1000**power) for power, suffix in ((3, "n"), (2, "u"), (1, "m"))},
        **{suffix: Fraction(1000**power) for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
        **{suffix: Fraction(1024**power) for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
    }
)
_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eE]([+-]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i)?)")


def quantity(text: str) -> Fraction:
    """The number that a quantity means, exactly; ValueError says how to write one."""
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no quantity; write one such as 250m or 512Mi")
    number, exponent, suffix = found.groups()
    scale = Fraction(10) ** int(exponent) if exponent else _SUFFIXES[suffix or ""]
    return Fraction(number.rstrip(".")) * scale

"""Units that are not multiple of others: temperatures, levels, pH (https://ucum.org/ucum#section-Special-Units).

Each scale is a pair of functions: from a number on the scale to one in the unit it refers to, and
back.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

Scale = tuple[Callable[[Decimal], Decimal], Callable[[Decimal], Decimal]]

_ZERO_CELSIUS = Decimal("273.15")
_ZERO_FAHRENHEIT = Decimal("459.67")


def _logarithmic(base: int, times: int = 1) -> Scale:
    factor = Decimal(base).ln()
    return lambda x: (x / times * factor).exp(), lambda y: y.ln() / factor * times


def _diluted(base: int) -> Scale:
    """Homeopathic potencies and pH: the negative logarithm."""
    grow, shrink = _logarithmic(base)
    return lambda x: grow(-x), lambda y: -shrink(y)


SCALES: dict[str, Callable[[], Scale]] = {
    "Cel": lambda: (lambda x: x + _ZERO_CELSIUS, lambda y: y - _ZERO_CELSIUS),
    "degF": lambda: (lambda x: x + _ZERO_FAHRENHEIT, lambda y: y - _ZERO_FAHRENHEIT),
    "degRe": lambda: (
        lambda x: x + _ZERO_CELSIUS * 4 / 5,
        lambda y: y - _ZERO_CELSIUS * 4 / 5,
    ),
    "pH": lambda: _diluted(10),
    "ln": lambda: (Decimal.exp, Decimal.ln),
    "lg": lambda: _logarithmic(10),
    "2lg": lambda: _logarithmic(10, 2),
    "ld": lambda: _logarithmic(2),
    "hpX": lambda: _diluted(10),
    "hpC": lambda: _diluted(100),
    "hpM": lambda: _diluted(1000),
    "hpQ": lambda: _diluted(50000),
    "sqrt": lambda: (lambda x: x * x, Decimal.sqrt),
    "100tan": lambda: (
        lambda x: Decimal(math.atan(float(x) / 100)),
        lambda y: Decimal(math.tan(float(y)) * 100),
    ),
}

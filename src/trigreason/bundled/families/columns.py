"""Written arithmetic on natural numbers, one column at a time from the ones up.

Every function returns the working and the value. A column's result depends on its two digits and
only on the carry just before it, so that a small model need not compute ahead. Equations
have no spaces, because each digit and each space is a token.
"""

Working = tuple[str, int]


def add(a: int, b: int) -> Working:
    """``a + b``, by columns unless both have one digit."""
    if max(a, b) < 10:
        return f"{a}+{b}={a + b}", a + b
    columns, carry = [], 0
    for x, y in _columns(a, b):
        carried, digit = divmod(x + y + carry, 10)
        columns.append(f"{x}+{y}+{carry}={digit} carry {carried}")
        carry = carried
    return f"{a}+{b}: {', '.join(columns)}, so {a + b}", a + b


def subtract(a: int, b: int) -> Working:
    """``a - b`` for ``a >= b``, by columns unless both have one digit."""
    assert a >= b >= 0, f"{a} - {b} is negative"
    if a < 10:
        return f"{a}-{b}={a - b}", a - b
    columns, borrow = [], 0
    for x, y in _columns(a, b):
        borrowed, digit = divmod(x - y - borrow, 10)
        columns.append(f"{x}-{y}-{borrow}={digit} borrow {-borrowed}")
        borrow = -borrowed
    return f"{a}-{b}: {', '.join(columns)}, so {a - b}", a - b


def multiply(a: int, digit: int) -> Working:
    """``a * digit`` for one digit, by columns unless ``a`` has but one or ``digit`` is 0 or 1."""
    assert 0 <= digit < 10, f"{digit} is not one digit"
    if a < 10 or digit < 2:
        return f"{a}*{digit}={a * digit}", a * digit
    columns, carry = [], 0
    for x in _digits(a):
        carried, ones = divmod(x * digit + carry, 10)
        columns.append(f"{x}*{digit}+{carry}={ones} carry {carried}")
        carry = carried
    return f"{a}*{digit}: {', '.join(columns)}, so {a * digit}", a * digit


def _digits(number: int) -> list[int]:
    return [int(digit) for digit in reversed(str(number))]


def _columns(a: int, b: int) -> list[tuple[int, int]]:
    x, y = _digits(a), _digits(b)
    width = max(len(x), len(y))
    return list(zip(x + [0] * (width - len(x)), y + [0] * (width - len(y)), strict=True))

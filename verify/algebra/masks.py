"""A sign as a set of possibilities: a mask over NEGATIVE, ZERO and POSITIVE; ANY knows nothing."""

from __future__ import annotations

NEGATIVE, ZERO, POSITIVE = 1, 2, 4
NONNEGATIVE, NONPOSITIVE, NONZERO, ANY = 6, 3, 5, 7
RELATIONS = {">": POSITIVE, ">=": NONNEGATIVE, "<": NEGATIVE, "<=": NONPOSITIVE, "=": ZERO}


def flip(mask: int) -> int:
    """The mask of −x."""
    return (
        (mask & ZERO) | (POSITIVE if mask & NEGATIVE else 0) | (NEGATIVE if mask & POSITIVE else 0)
    )


def product(a: int, b: int) -> int:
    """The mask of x·y."""
    out = ZERO if (a & ZERO) or (b & ZERO) else 0
    for x, y, z in ((4, 4, 4), (1, 1, 4), (4, 1, 1), (1, 4, 1)):
        if a & x and b & y:
            out |= z
    return out


def relation(mask: int) -> str | None:
    """The relation a mask states, None for ANY and for `≠ 0`."""
    for text, states in (
        ("=", ZERO),
        (">", POSITIVE),
        ("<", NEGATIVE),
        (">=", NONNEGATIVE),
        ("<=", NONPOSITIVE),
    ):
        if mask & ~states == 0:
            return text
    return None


def settled(mask: int, multiplicity: int, strict: bool) -> bool:
    """Whether a factor's sign needs no proof: strictly known, or of even power, or one-signed."""
    if strict:
        return mask in (POSITIVE, NEGATIVE)
    return multiplicity % 2 == 0 or mask & ~NONNEGATIVE == 0 or mask & ~NONPOSITIVE == 0

"""How long what may pass is waited for."""

DELAYS_S = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


def delay_s(tries: int) -> float:
    """`tries` had failed before the one that just did."""
    return DELAYS_S[min(tries, len(DELAYS_S) - 1)]

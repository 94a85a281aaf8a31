"""What a share that was counted says of the share that it was drawn from."""

from math import sqrt

Z = 1.96
"""Standard deviations on either side that hold 95 % of what chance gives."""


def wilson(passed: int, of: int) -> tuple[float, float]:
    """The interval that holds the true share with 95 % confidence, as shares of 1.

    Source: E. B. Wilson, Probable Inference, Journal of the American Statistical Association 22
    (1927). Nothing asked tells nothing: 0 to 1.
    """
    if not of:
        return 0.0, 1.0
    share, doubt = passed / of, Z * Z / of
    middle = share + doubt / 2
    width = Z * sqrt(share * (1 - share) / of + doubt / (4 * of))
    return max(0.0, (middle - width) / (1 + doubt)), min(1.0, (middle + width) / (1 + doubt))

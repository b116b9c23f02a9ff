"""Frame rates as text."""

import pytest

from sephw.rates import rate, reachable_rate, typed_rate


@pytest.mark.parametrize(
    ("fps", "text", "reachable"),
    [
        (1e8 / 9800, "10,204", "10,204"),
        (1666666.7, "1,666,667", "1,666,666"),
        (999.96, "1,000", "999.9"),
        (999.94, "999.9", "999.9"),
        (113.48, "113.5", "113.4"),
        (100.0, "100", "100"),
        (31.499, "31.5", "31.49"),
        (0.123456, "0.1235", "0.1234"),
        (0, "0", "0"),
    ],
)
def test_four_digits_or_whole(fps, text, reachable):
    assert (rate(fps), reachable_rate(fps)) == (text, reachable)


def test_what_is_offered_is_not_above_what_there_is():
    for k in range(1, 4000):
        fps = k * 0.37
        assert float(reachable_rate(fps).replace(",", "")) <= fps


def test_a_rate_that_was_typed_stays_whole():
    assert typed_rate(12345.5) == "12,345.5" and typed_rate(13000) == "13,000"

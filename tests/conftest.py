"""Makes tests/support importable from every folder of tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

import sephw.progress

# What a slow step says of itself depends on the machine; the tests of progress set their own.
sephw.progress.FIRST_SECONDS = 3600.0

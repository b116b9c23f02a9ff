"""`python -m sephw.export`: the same command as `sephw export`."""

import sys

from sephw.start import main

if __name__ == "__main__":
    main(["export", *sys.argv[1:]])

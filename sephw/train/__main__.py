"""`python -m sephw.train`: the same command as `sephw train`."""

import sys

from sephw.start import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]])

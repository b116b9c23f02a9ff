"""`python -m sephw`: the same as the program `sephw`."""

from sephw.start import main

if __name__ == "__main__":
    main()

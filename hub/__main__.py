"""`python -m hub` is the same program as `hub`."""

from hub.cli.main import main

if __name__ == "__main__":
    main()

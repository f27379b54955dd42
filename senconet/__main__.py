"""`python -m senconet`: the command line where the package is not installed, as in the container image."""

from senconet.cli import app

if __name__ == "__main__":
    app()

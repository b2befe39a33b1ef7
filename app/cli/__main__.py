"""`python -m app.cli`, the same as the command `ldn-evidence`."""

from app.cli import app

if __name__ == "__main__":
    app()

"""The `centralino` command, as an entry point and as `python -m services`."""

from libs.primitives import kept_for_good


def main() -> None:
    """Reads the command line and runs it."""
    # To look for garbage among what modules are made of takes a quarter of a start.
    with kept_for_good():
        from services.cli import main as run
    run()


if __name__ == "__main__":
    main()

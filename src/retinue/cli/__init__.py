"""The command line. ``main`` is what the installed script ``retinue`` calls; the commands are in ``cli.root``."""


# allow empty-init: the installed script is retinue.cli:main, and everything else is imported when it runs
def main() -> None:
    """Run one command and end the process with its exit code."""
    from retinue.cli import root

    root.main()

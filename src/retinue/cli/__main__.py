"""``python -m retinue.cli``: the same as ``retinue``, where the script is not on the path."""

from retinue.cli import root

root.main()

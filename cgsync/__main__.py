"""``python -m cgsync`` is ``cgsync``."""

from cgsync.cli import main

main()

"""`python -m colony` is the command `colony`."""

from colony.cli.entry import main

main()

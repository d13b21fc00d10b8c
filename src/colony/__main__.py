"""`python -m colony` is the command `colony`."""

from colony.cli.main import app

app()

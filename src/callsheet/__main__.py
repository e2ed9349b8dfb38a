"""`python -m callsheet` is the command `callsheet`."""

from callsheet.cli import main

main()

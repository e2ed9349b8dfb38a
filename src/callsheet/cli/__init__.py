"""The command line: `callsheet call shop.create_user name=Ada`. Needs the extra `cli`."""

from __future__ import annotations

import sys
from typing import NoReturn

EXTRA = ("click", "rich")
MISSING = 'callsheet: the command line needs {}: pip install "callsheet[cli]"\n'


def main() -> NoReturn:
    """Run the command line with the arguments of this process, and exit with its code."""
    try:
        from callsheet.cli.run import run
        from callsheet.cli.screen import Screen

        code = run(sys.argv[1:], Screen.of_process())
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in EXTRA:
            raise
        sys.stderr.write(MISSING.format(missing))
        code = 2
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)

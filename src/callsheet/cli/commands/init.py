"""`callsheet init`: writes a first sheet."""

from __future__ import annotations

from pathlib import Path

import click

from callsheet.cli.screen import Screen
from callsheet.errors import UsageError
from callsheet.process.exposure import open_private

HELP = """Write a commented first sheet, callsheet.yaml, and overwrite nothing.

\b
  callsheet init
  callsheet init --name github --base-url https://api.github.com
"""

SCHEMA = "callsheet.schema.json"
MODELINE = f"# yaml-language-server: $schema={SCHEMA}\n"
"""For editors, where the schema is beside the sheet: they would complain of one that is not there."""
SHEET = """\
# The APIs we call. `callsheet check` checks this file, `callsheet list` shows what can be called.
# What an editor needs to check and complete it: see `callsheet schema --help`.
callsheet: 1

# What every service starts from; each of these lines is the built-in default.
defaults:
  timeout: {{connect: 5s, attempt: 10s, total: 30s}}

services:
  {name}:
    base_url: {base_url}
    headers: {{Accept: application/json}}
    # A secret comes from the environment and is never shown:
    # auth: {{bearer: "${{{variable}_TOKEN}}"}}
    # auth: {{basic: {{username: me, password: "${{{variable}_PASSWORD}}"}}}}
    # auth: {{api_key: {{header: X-API-Key, value: "${{{variable}_KEY}}"}}}}

    operations:
      # callsheet call {name}.get_user id=7
      get_user:
        get: /users/{{id}}
        summary: Look a user up
        path: {{id: integer}}

      # callsheet call {name}.list_users status=active
      list_users:
        get: /users
        query:
          status: {{type: string, enum: [active, blocked]}}
          page: integer

      # callsheet call {name}.create_user name=Ada email=ada@example.com
      create_user:
        post: /users
        json: object           # or a type of yours, module:Type, which checks the fields
        # returns: shop.models:User
        # idempotent: true     # may be sent twice: then it is retried as a GET is

# What differs elsewhere. With environments, say which one counts where none is named:
# default_environment: dev
# environments:
#   prod: {{}}
#   dev: {{services: {{{name}: {{base_url: "http://127.0.0.1:8000"}}}}}}
"""


@click.command("init", help=HELP, short_help="Write a first sheet.")
@click.option("--file", "file", default="callsheet.yaml", show_default=True, metavar="FILE")
@click.option("--name", default="api", show_default=True, help="What the service is called.")
@click.option("--base-url", default="http://127.0.0.1:8000", show_default=True, help="Where it is.")
@click.pass_obj
def command(screen: Screen, file: str, name: str, base_url: str) -> int:
    """Write a first sheet."""
    from callsheet.cli.curl.shell_words import made_name
    from callsheet.sheet import Sheet

    modeline = MODELINE if Path(file).with_name(SCHEMA).is_file() else ""
    text = modeline + SHEET.format(name=name, base_url=quoted(base_url), variable=made_name(name))
    Sheet.parse(text, name=file, variables={})
    write_new(Path(file), text)
    screen.say(f"callsheet: wrote {file}; next: callsheet check, callsheet list")
    return 0


def quoted(text: str) -> str:
    """A text as a YAML scalar in double quotes, which JSON's strings are."""
    import json

    return json.dumps(text, ensure_ascii=False)


def write_new(path: Path, text: str) -> None:
    """Write a new file that only its owner can read, as sheets may hold secrets. Raises UsageError if it exists."""
    try:
        with open_private(path, is_new=True) as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already and is left as it is; name another with --file") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None

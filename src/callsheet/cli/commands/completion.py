"""`callsheet completion`: prints the script with which a shell completes commands, operations and parameters."""

from __future__ import annotations

import click

from callsheet.cli.screen import Screen

HELP = """Print the completion script of a shell.

\b
  eval "$(callsheet completion bash)"                                   in ~/.bashrc
  eval "$(callsheet completion zsh)"                                    in ~/.zshrc
  callsheet completion fish > ~/.config/fish/completions/callsheet.fish
"""


@click.command("completion", help=HELP, short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> int:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    # Not click's `source()`, which would start bash to ask for its version.
    script = (
        made.source_template % made(context.find_root().command, {}, "callsheet", "_CALLSHEET_COMPLETE").source_vars()
    )
    screen: Screen = context.obj
    screen.print(script)
    return 0

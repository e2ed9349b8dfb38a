"""What `call` and `request` do once they know which call is meant: preview it, or send it and show the answer."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from callsheet.cli.screen import Screen
from callsheet.errors import ArgumentError, ResponseError, UsageError

if TYPE_CHECKING:
    from callsheet.cli.calling import Prepared
    from callsheet.cli.find_sheet import Wanted
    from callsheet.cli.output import Form
    from callsheet.events import Listener


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of CALL_OPTIONS."""

    body: str | None = None
    timeout: float | None = None
    attempts: int | None = None
    no_retry: bool = False
    idempotency_key: str | None = None
    form: Form | None = None
    verbose: bool = False
    dry_run: bool = False
    curl: bool = False

    def settings(self) -> dict[str, Any]:
        """The settings they stand for, in the sheet's words. Raises UsageError for two that contradict."""
        if self.no_retry and self.attempts:
            raise UsageError("--no-retry and --attempts contradict each other: give one")
        if self.no_retry:
            return {"retry": "off"}
        return {"retry": {"attempts": self.attempts}} if self.attempts else {}

    def json(self) -> Any:
        """The whole body, or None."""
        from callsheet.cli.items import whole_json

        if self.body is None:
            return None
        value = whole_json(self.body)
        if value is None:
            raise ArgumentError("--json null: a body of `null` is not sent; leave the option out to send none")
        return value

    def listeners(self, screen: Screen) -> tuple[Listener, ...]:
        """Who is told what happens."""
        if not self.verbose:
            return ()
        from callsheet.cli.attempts import teller

        return (teller(screen),)


def act(prepared: Prepared, wishes: Wishes, wanted: Wanted, screen: Screen) -> int:
    """Preview or send; the exit code. Raises APIError for a call that failed without an answer."""
    if wishes.curl:
        return _show_curl(prepared, wanted, screen)
    if wishes.dry_run:
        from callsheet.cli.preview import show_request

        show_request(prepared.call.request, screen)
        return 0
    return _send(prepared, wishes, screen)


def _send(prepared: Prepared, wishes: Wishes, screen: Screen) -> int:
    from callsheet.cli.exits import REDIRECTED, code_of_status
    from callsheet.cli.output import show_answer

    form: Form = wishes.form or "auto"
    try:
        response = prepared.send()
    except ResponseError as error:
        show_answer(error.response, screen, form)
        raise
    show_answer(response, screen, form)
    code = code_of_status(response.status_code)
    if code == REDIRECTED:
        where = response.masked(response.field(b"location") or "nowhere")
        screen.complain(f"{response.status_code}: redirected to {where}, and not followed")
    return code


def _show_curl(prepared: Prepared, wanted: Wanted, screen: Screen) -> int:
    from callsheet.cli.curl_export import curl_command, names_in
    from callsheet.sheet.files import sheet_text

    names = names_in(sheet_text(str(wanted.path())), wanted.variables() or os.environ, prepared.plan.service)
    try:
        command = curl_command(prepared.call.request, prepared.plan.settings.auth, names)
    except ValueError as error:
        raise UsageError(f"--curl: {error}") from None
    screen.print(command)
    if names.used:
        screen.say(f"callsheet: set {', '.join(names.used)} before you run it")
    return 0

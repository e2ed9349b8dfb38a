"""What `call` and `request` do once they know which call is meant: preview it, or send it and show the answer."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callsheet.cli.screen import Screen
from callsheet.errors import APIError, ArgumentError, ResponseError, TransportError, UsageError
from callsheet.settings.idempotency_key import IdempotencyKey

if TYPE_CHECKING:
    from callsheet.cli.curl.shell_words import Piece
    from callsheet.cli.exchange import Shown
    from callsheet.cli.find_sheet import Wanted
    from callsheet.cli.output import OutputForm
    from callsheet.cli.prepared_call import Make, Prepared
    from callsheet.events import Listener
    from callsheet.http.request import Request
    from callsheet.http.response import Response
    from callsheet.plan.plan import CacheOption
    from callsheet.sheet.words.operation import Operation


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options that `call` and `request` share, as they were given; see CALL_OPTIONS."""

    body: str | None = None
    form: bool = False
    timeout: float | None = None
    attempts: int | None = None
    no_retry: bool = False
    idempotency_key: str | None = None
    cache: CacheOption | None = None
    output: OutputForm | None = None
    stream: bool = False
    download: str | None = None
    resume: bool = False
    ignore_stdin: bool = False
    parts: str | None = None
    verbose: bool = False
    dry_run: bool = False
    curl: bool = False

    def settings(self) -> dict[str, Any]:
        """The settings that the options stand for, as a sheet writes them. Raises UsageError for two that contradict."""
        if self.no_retry and self.attempts:
            raise UsageError("--no-retry and --attempts contradict each other: give one")
        if self.no_retry:
            return {"retry": "off"}
        return {"retry": {"attempts": self.attempts}} if self.attempts else {}

    def json(self) -> Any:
        """The value of `--json`, None if it was not given. Raises ArgumentError."""
        from callsheet.cli.items import whole_json

        if self.body is None:
            return None
        value = whole_json(self.body)
        if value is None:
            raise ArgumentError("--json null: a body of `null` is not sent; leave the option out to send none")
        return value

    def listeners(self, screen: Screen) -> tuple[Listener, ...]:
        """With `--verbose` the listener that prints each attempt, else none."""
        if not self.verbose:
            return ()
        from callsheet.cli.attempts import teller

        return (teller(screen),)

    def shown(self) -> Shown:
        """What is shown of request and answer: the answer's body, unless `--print` says otherwise."""
        from callsheet.cli.exchange import Shown

        parts = "b" if self.parts is None else self.parts
        return Shown(parts, self.output or "auto", tells=self.verbose and self.parts is None)

    @property
    def is_transfer(self) -> bool:
        """Whether the answer is streamed (`--stream`, `--download`) rather than read whole."""
        return self.stream or self.download is not None

    def of(self, operation: Operation) -> Wishes:
        """These wishes for a declared operation, whose body is the one on the sheet. Raises UsageError."""
        if self.form and operation.form is None and operation.multipart is None:
            raise UsageError(f"--form: the sheet says what `{operation.name}` sends; declare a `form` there")
        return replace(self, stream=True) if operation.stream and not self.download else self

    def check(self) -> None:
        """Raises UsageError for options that contradict."""
        if self.resume and not self.download:
            raise UsageError("--continue goes on with a download: name its file with --download")
        if self.output == "csv":
            raise UsageError("-o csv is for the items of pages: give `call` --all")
        if self.stream and self.download:
            raise UsageError("--stream and --download contradict each other: give one")
        if self.form and self.body is not None:
            raise UsageError("--form and --json contradict each other: a request has one body")


def act(make: Make, wishes: Wishes, wanted: Wanted | None, screen: Screen) -> int:
    """Preview the call or send it, and return the exit code. Raises APIError for a call that failed.

    `wanted` is None for a call without a sheet.
    """
    prepared = make({})
    _check_key(prepared, wishes)
    if wishes.curl:
        return _show_curl(prepared, wishes, wanted, screen)
    if wishes.dry_run:
        from callsheet.cli.curl.signing_options import remarks
        from callsheet.cli.preview import show_request

        show_request(prepared.request(), screen)
        for text in remarks(prepared.plan.settings, is_curl=False):
            screen.say(f"callsheet: {text}")
        return 0
    try:
        if wishes.download:
            return _download(make, prepared.call.request, wishes, screen)
        return _send(prepared, wishes, screen)
    except APIError as error:
        from callsheet.cli.exchange import show_exchange

        answer = error.response if isinstance(error, ResponseError) else None
        # A transfer without content has printed it already, or its answer was no file to download.
        with_body = answer is not None and (bool(answer.content) or not wishes.is_transfer)
        show_exchange(prepared.call.request, answer, wishes.shown(), screen, with_body=with_body)
        raise


def _check_key(prepared: Prepared, wishes: Wishes) -> None:
    """Raises UsageError for a key whose header is taken out: without it, a POST that is tried again may be done twice."""
    header = (prepared.plan.settings.idempotency_key or IdempotencyKey()).header
    if wishes.idempotency_key is not None and not prepared.call.request.headers.has(header.lower()):
        raise UsageError(f"--idempotency-key and `{header}:` contradict each other: give one")


def _download(make: Make, request: Request, wishes: Wishes, screen: Screen) -> int:
    from callsheet.cli.downloading import downloaded, file_in
    from callsheet.cli.exchange import show_exchange
    from callsheet.cli.output import head_of
    from callsheet.cli.progress import amount, meter

    target = file_in(Path(wishes.download or "").expanduser(), request)
    try:
        with meter(screen, "download", None) as shown:
            progress = shown.reach if shown else None
            done = downloaded(make, request.url, target, resume=wishes.resume, progress=progress)
    except (TransportError, TimeoutError, KeyboardInterrupt):
        part = target.with_name(f"{target.name}.part")
        if wishes.resume and part.exists():
            screen.say(
                f"callsheet: {amount(part.stat().st_size)} are kept in {part}; the same command goes on from there"
            )
        raise
    if wishes.output == "headers":
        screen.print(head_of(done.response))
    show_exchange(request, done.response, wishes.shown(), screen, with_body=False)
    before = f", {amount(done.resumed_at)} of it from before" if done.resumed_at else ""
    screen.say(f"callsheet: {amount(done.size)} in {done.path}{before}")
    return 0


def _send(prepared: Prepared, wishes: Wishes, screen: Screen) -> int:
    from callsheet.cli.exits import OK, REDIRECTED, code_of_status

    response = _streamed(prepared, wishes, screen) if wishes.stream else _whole(prepared, wishes, screen)
    if response is None or code_of_status(response.status_code) != REDIRECTED:
        return OK  # from 400 on, only an answer that an error rule ignores comes here
    where = response.masked(response.field(b"location") or "nowhere")
    screen.complain(f"{response.status_code}: redirected to {where}, and not followed")
    return REDIRECTED


def _streamed(prepared: Prepared, wishes: Wishes, screen: Screen) -> Response:
    """Send, and show the answer as it comes."""
    from callsheet.cli.exchange import show_exchange
    from callsheet.cli.progress import shown_upload
    from callsheet.cli.streaming import show_stream

    with shown_upload(prepared.call.request, screen):
        opened = prepared.open()
    show_exchange(prepared.call.request, opened.response, wishes.shown(), screen, with_body=False)
    if "b" in wishes.shown().parts:
        show_stream(opened, screen, wishes.output or "auto")
    opened.close()
    return opened.response


def _whole(prepared: Prepared, wishes: Wishes, screen: Screen) -> Response | None:
    """Send, and show the answer once it is whole; None where a fallback is shown in its place."""
    from callsheet.cli.exchange import show_exchange
    from callsheet.cli.output import show_value
    from callsheet.cli.progress import shown_upload

    with shown_upload(prepared.call.request, screen):
        answer = prepared.send()
    form: OutputForm = wishes.output or "auto"
    if answer.error is not None or answer.response is None:
        show_value(answer.value, screen, form)
        screen.complain(f"{type(answer.error).__name__}: {answer.error}; fell back")
        return None
    show_exchange(prepared.call.request, answer.response, wishes.shown(), screen)
    return answer.response


def _show_curl(prepared: Prepared, wishes: Wishes, wanted: Wanted | None, screen: Screen) -> int:
    from callsheet.cli.curl.export import curl_command
    from callsheet.cli.curl.shell_words import joined, names_in
    from callsheet.cli.curl.signing_options import remarks, sign_words
    from callsheet.cli.curl.tls_options import tls_words
    from callsheet.sheet.sheet_file import sheet_text

    text, variables = (sheet_text(str(wanted.path())), wanted.variables()) if wanted else ("", None)
    names = names_in(text, variables or os.environ, prepared.plan.service)
    request, settings = prepared.call.request, prepared.plan.settings
    tls = settings.tls if request.origin == settings.origin else settings.tls.elsewhere()
    further: list[list[Piece]] = tls_words(tls, names) if request.wire_url.startswith("https:") else []
    further += sign_words(settings.sign, request, names)
    if wishes.stream:
        further.append(["--no-buffer"])
    if wishes.download:
        further.append(["--output ", joined([wishes.download])])
    if wishes.resume:
        further.append(["--continue-at -"])
    try:
        command = curl_command(prepared.request(), settings.auth, names, further)
    except ValueError as error:
        raise UsageError(f"--curl: {error}") from None
    screen.print(command)
    for text in remarks(settings, is_curl=True):
        screen.say(f"callsheet: {text}")
    if names.used:
        screen.say(f"callsheet: set {', '.join(names.used)} before you run it")
    return 0

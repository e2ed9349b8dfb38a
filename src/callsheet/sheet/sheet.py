"""Sheet and ServiceSheet: the operations and settings of a sheet, once it has been read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from callsheet.bare_frames import bared
from callsheet.errors import Finding, SheetError, UsageError
from callsheet.secret import Secret
from callsheet.settings import Settings, Stores
from callsheet.settings.retry import SAFE_METHODS
from callsheet.sheet.document import Document, ServiceLayers, read_document
from callsheet.sheet.forms.reading import Reading, Spot
from callsheet.sheet.forms.record import Layer, Written, check_keys, layered, read_keys
from callsheet.sheet.forms.variables import Unfilled, Variables
from callsheet.sheet.layers import merged, secrets_in, settings_from
from callsheet.sheet.provenance import Provenance, origins_of
from callsheet.sheet.sheet_file import LARGEST, sheet_path, sheet_text
from callsheet.sheet.tree.findings import Findings, OfTheSheet, did_you_mean, one_of
from callsheet.sheet.tree.from_python import at_one_place, from_python
from callsheet.sheet.tree.node import MappingNode, Node
from callsheet.sheet.tree.place import Place, SheetText
from callsheet.sheet.words.addresses import check_reach, check_unencrypted
from callsheet.sheet.words.fallback import check_fallback
from callsheet.sheet.words.key_table import CODE_KEYS
from callsheet.sheet.words.operation import Operation
from callsheet.sheet.words.pages import check_pages
from callsheet.sheet.words.signing import check_sign
from callsheet.sheet.words.tls import check_tls

CODE = "Client(...)"


class ServiceSheet:
    """One service of a sheet, with its settings in the environment that the sheet was read for.

    `where` is its place on the sheet.
    """

    def __init__(self, document: Document, layers: ServiceLayers) -> None:
        self.name: str = layers.name
        self.where: str = layers.where
        self.operations: Mapping[str, Operation] = MappingProxyType(dict(layers.operations))
        self._document = document
        self._layer = layered(document.defaults, layers.layer)
        self._layers = (document.defaults, layers.layer)
        self._settings = {name: self._made(name, {}, document.reading.findings) for name in (None, *self.operations)}
        self._check_operations(document.reading.findings)

    def __repr__(self) -> str:
        return f"<ServiceSheet {self.name}: {len(self.operations)} operations>"

    def _check_operations(self, findings: Findings) -> None:
        """Note pages that cannot be, and each fallback without a typed result: there is nothing that it could replace."""
        for name, operation in self.operations.items():
            check_pages(operation, Spot(f"operation `{self.name}.{name}`"), findings)
            has_result = operation.returns is not None or self._settings[name].envelope is not None
            if not operation.stream and not has_result:
                check_fallback(operation.layer, Spot(f"operation `{self.name}.{name}`"), findings)

    @property
    def environment(self) -> str | None:
        """The environment that it was read for, or None."""
        return self._document.environment

    @property
    def stores(self) -> Stores:
        """The stores that processes share, as the sheet declares them."""
        return self._document.stores

    @property
    def description(self) -> str:
        """What the sheet says the service is for; "" if nothing."""
        return self._text("description")

    @property
    def owner(self) -> str:
        """Who looks after the service; "" if the sheet does not say."""
        return self._text("owner")

    @property
    def docs(self) -> str:
        """Where the service's documentation is; "" if the sheet does not say."""
        return self._text("docs")

    def settings(self, operation: str | None = None, code: Mapping[str, Any] | None = None) -> Settings:
        """The settings of an operation; of None those of the requests that no operation declares.

        Each of these overrides the ones before it: built-in, `defaults`, service, operation, `code`. `code` are settings as a
        client takes them, under the names of the sheet.

        Raises SheetError for a `code` that cannot be read, UsageError for an unknown operation.
        """
        self._check(operation)
        if not code:
            return self._settings[operation]
        findings = Findings()
        settings = self._made(operation, self._code_layer(code, findings), findings)
        error = findings.error()
        if error:
            raise error
        return settings

    def origins(self, operation: str | None = None, code: Mapping[str, Any] | None = None) -> Mapping[str, Provenance]:
        """Where each of these settings was written, by its dotted name such as `timeout.total`.

        Raises UsageError for an unknown operation.
        """
        self._check(operation)
        layer = self._merged(operation, self._code_layer(code or {}, Findings()))
        return origins_of(layer, settings_from(layer, Spot(""), Findings()))

    def secrets(self, operation: str | None = None) -> tuple[Secret, ...]:
        """Every secret that requests of this operation, or of the whole service, carry."""
        names = [operation] if operation is not None else [None, *self.operations]
        found = [secret for name in names for secret in secrets_in(self._settings[name])]
        for name in names:
            declared = self.operations[name] if name is not None else None
            parameters = (*declared.parameters, *declared.fields) if declared else ()
            found += [secret for parameter in parameters for secret in secrets_in(parameter.value)]
        return tuple(dict.fromkeys(found))

    def _check(self, operation: str | None) -> None:
        if operation is not None and operation not in self.operations:
            raise UsageError(f"service `{self.name}` has no operation `{operation}`", service=self.name)

    def _text(self, name: str) -> str:
        written = self._layer.get(name)
        return str(written.value) if written else ""

    def _merged(self, operation: str | None, code: Layer) -> dict[str, Written]:
        own = self.operations[operation].layer if operation is not None else {}
        return merged(*self._layers, own, code)

    def _made(self, operation: str | None, code: Layer, findings: Findings) -> Settings:
        layer = self._merged(operation, code)
        spot = Spot(f"service `{self.name}`" if operation is None else f"operation `{self.name}.{operation}`")
        if operation is None:
            check_tls(layer, spot, findings)
            check_reach(layer, spot, findings)
        settings = settings_from(layer, spot, findings)
        if operation is None:
            check_unencrypted(layer, settings, spot, findings)
        check_sign(layer, settings, spot, findings)
        return settings if operation is None else _repeatable(settings, self.operations[operation])

    def _code_layer(self, code: Mapping[str, Any], findings: Findings) -> Layer:
        node = at_one_place(from_python(dict(code), findings), Place(CODE))
        assert isinstance(node, MappingNode)
        variables = self._document.reading.variables
        # A path given in code is relative to the working directory, not to the sheet.
        reading = Reading(findings, Variables(variables.values, Path.cwd(), variables.clock))
        check_keys(node, CODE_KEYS, "settings", Spot(""), findings)
        return read_keys(node, CODE_KEYS, Spot(""), reading)


def _repeatable(settings: Settings, operation: Operation) -> Settings:
    """The settings of an operation that only reads, which may be repeated, or of one that does not, whatever its method."""
    if operation.safe:
        return replace(settings, idempotent=True)
    if operation.safe is None or settings.retry is None:
        return settings
    return replace(settings, retry=replace(settings.retry, methods=settings.retry.methods - SAFE_METHODS))


class Sheet:
    """The APIs that a program calls, as declared in `callsheet.yaml` or in Python.

    `Sheet.load()` reads a file, `Sheet.parse(text)` a text, and `Sheet(services={...})` takes the same keys as Python data.
    Each raises one SheetError, which lists everything that is wrong.

    `services` has each service by name. `environment` is the environment that the sheet was read for, one of `environments`;
    `name` is its path or the name that errors use, `folder` the base of its relative paths; `warnings` are findings that do
    not keep it from being used; `left_out` names the services that it was narrowed by. The arguments of `Sheet(...)` are those of `load` and `parse`.
    """

    name: str
    folder: Path
    environment: str | None
    environments: tuple[str, ...]
    services: Mapping[str, ServiceSheet]
    stores: Stores
    warnings: tuple[Finding, ...]
    left_out: tuple[str, ...]

    @bared
    def __init__(
        self,
        services: Mapping[str, Any],
        *,
        defaults: Mapping[str, Any] | None = None,
        environments: Mapping[str, Any] | None = None,
        default_environment: str | None = None,
        schemas: Mapping[str, Any] | None = None,
        stores: Mapping[str, Any] | None = None,
        env: str | None = None,
        variables: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        data = {
            "services": services,
            "defaults": defaults,
            "environments": environments,
            "default_environment": default_environment,
            "schemas": schemas,
            "stores": stores,
        }
        findings = Findings()
        tree = from_python({name: value for name, value in data.items() if value is not None}, findings)
        given = Variables(_or_environ(variables), Path.cwd(), clock)
        vars(self).update(_contents(tree, "Sheet(...)", env, given, findings), warnings=findings.warned())

    @classmethod
    @bared
    def load(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        env: str | None = None,
        variables: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        services: Collection[str] | None = None,
    ) -> Sheet:
        """Read the sheet in a file: `path`, else the one in CALLSHEET_FILE, else `callsheet.yaml` in the working directory.

        `env` is the environment, else the one in CALLSHEET_ENV, else `default_environment`. `variables` are what `${NAME}`
        stands for, by default the environment variables of the process. `clock` gives the seconds after which mounted files
        are read again. With `services` only these are kept, and the variables of others need not be set. Raises SheetError,
        UsageError for a service that is not on the sheet.
        """
        name = sheet_path(path, _or_environ(variables))
        given = Variables(_or_environ(variables), Path(name).absolute().parent, clock, services)
        return cls._of_text(sheet_text(name), name, env, given, Findings())

    @classmethod
    @bared
    def parse(
        cls,
        text: str,
        *,
        name: str = "<sheet>",
        env: str | None = None,
        variables: Mapping[str, str] | None = None,
        folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        services: Collection[str] | None = None,
    ) -> Sheet:
        """Read the sheet in a text. Raises SheetError.

        Errors call it `name`. Its relative paths begin at `folder`, by default the working directory. See `load` for the rest.
        """
        given = Variables(_or_environ(variables), folder or Path.cwd(), clock, services)
        return cls._of_text(text, name, env, given, Findings())

    @classmethod
    @bared
    def outline(
        cls,
        text: str,
        *,
        name: str = "<sheet>",
        env: str | None = None,
        variables: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Sheet:
        """The sheet in a text to be looked at, not called: variables without a value stand as `${NAME}`.

        Raises SheetError for what is wrong whatever they hold.
        """
        given = Unfilled(_or_environ(variables), folder or Path.cwd())
        return cls._of_text(text, name, env, given, OfTheSheet())

    @classmethod
    def salvage(
        cls,
        text: str,
        *,
        name: str = "<sheet>",
        env: str | None = None,
        variables: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> tuple[Sheet, tuple[Finding, ...]]:
        """What can be read of a text, and everything that is wrong with it: to be looked at, not called.

        Values that cannot be read are left out; so are operations without a readable path, and services that are no mapping.
        """
        findings = Findings()
        given = Variables(_or_environ(variables), folder or Path.cwd())
        try:
            tree = _tree(text, name, findings)
        except SheetError as error:
            return cls._made(_read(None, name, env, given, findings), findings), error.findings
        sheet = cls._made(_read(tree, name, env, given, findings), findings)
        wrong = findings.error()
        return sheet, wrong.findings if wrong else ()

    @classmethod
    def _of_text(cls, text: str, name: str, env: str | None, given: Variables, findings: Findings) -> Sheet:
        contents = _contents(_tree(text, name, findings), name, env, given, findings)
        return cls._made(contents, findings).narrowed(given.services)

    def narrowed(self, services: Collection[str] | None) -> Sheet:
        """The sheet with only these services; None: all of them. Raises UsageError for one that it does not have."""
        if services is None:
            return self
        if isinstance(services, str) or not services or not all(isinstance(name, str) for name in services):
            raise UsageError(f"services: expected a list of their names, such as ['shop'], found {services!r}")
        for name in services:
            if name not in self.services:
                raise UsageError(not_on(self, name))
        sheet = type(self).__new__(type(self))
        kept = {name: service for name, service in self.services.items() if name in services}
        left_out = (*self.left_out, *(name for name in self.services if name not in kept))
        vars(sheet).update(vars(self) | {"services": MappingProxyType(kept), "left_out": left_out})
        return sheet

    @classmethod
    def _made(cls, contents: dict[str, Any], findings: Findings) -> Sheet:
        sheet = cls.__new__(cls)
        vars(sheet).update(contents, warnings=findings.warned())
        return sheet

    def __repr__(self) -> str:
        if not vars(self):
            return "<Sheet that cannot be used>"
        where = f" ({self.environment})" if self.environment else ""
        return f"<Sheet {self.name}{where}: {', '.join(self.services)}>"


def not_on(sheet: Sheet, name: str) -> str:
    """What to tell of a service that the sheet does not have, or that was left out of it."""
    if name in sheet.left_out:
        return f"{sheet.name}: service `{name}` was left out: it is not among `services` ({one_of(sheet.services)})"
    known = (*sheet.services, *sheet.left_out)
    return f"{sheet.name}: no service `{name}`; {did_you_mean(name, known) or f'it has {one_of(known)}'}"


def _tree(text: str, name: str, findings: Findings) -> Node | None:
    """The text as a tree; None if it is no YAML, which is noted. Raises SheetError for one that is empty or too large."""
    from callsheet.sheet.tree.compose import compose  # noqa: PLC0415 - PyYAML is loaded when a sheet is read

    if len(text) > LARGEST:
        raise SheetError(f"{name}: larger than 5 MiB, which no sheet needs; split it by service")
    text = text.removeprefix("\ufeff")
    tree = compose(SheetText(name, text), text, findings)
    if tree is None and not findings.errors:
        raise SheetError(f"{name}: empty; `callsheet init` writes a first sheet")
    return tree


def _contents(
    tree: Node | None, name: str, env: str | None, variables: Variables, findings: Findings
) -> dict[str, Any]:
    """The attributes of a Sheet. Raises SheetError with everything that was found."""
    contents = _read(tree, name, env, variables, findings)
    error = findings.error()
    if error:
        raise error
    return contents


def _read(tree: Node | None, name: str, env: str | None, variables: Variables, findings: Findings) -> dict[str, Any]:
    """The attributes of a Sheet, but for its warnings; what is wrong is in `findings`."""
    document = read_document(tree, env, variables, findings)
    services = {name: ServiceSheet(document, layers) for name, layers in document.services.items()}
    return {
        "name": name,
        "folder": variables.folder,
        "services": MappingProxyType(services),
        "environment": document.environment,
        "environments": document.environments,
        "stores": document.stores,
        "left_out": document.left_out,
    }


def _or_environ(variables: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if variables is None else variables

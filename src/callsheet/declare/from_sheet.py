"""Operations from the sheet: what was read there, as the records that plans are made of."""

from __future__ import annotations

from collections.abc import Mapping

from callsheet.declare.operation import Operation, Parameter
from callsheet.sheet import OperationSheet, ParameterSheet, ServiceSheet


def operations_of(service: ServiceSheet) -> Mapping[str, Operation]:
    """The operations of a service, by name, in the order of the sheet."""
    return {name: _operation(sheet) for name, sheet in service.operations.items()}


def _operation(sheet: OperationSheet) -> Operation:
    return Operation(
        sheet.name,
        sheet.method,
        sheet.path,
        _fields(sheet.parameters),
        json=sheet.json,
        form=_fields(sheet.form) if isinstance(sheet.form, tuple) else sheet.form,
        multipart=None if sheet.multipart is None else _fields(sheet.multipart),
        content=sheet.content,
        returns=sheet.returns,
        stream=sheet.stream,
        summary=sheet.summary,
        description=sheet.description,
        tags=sheet.tags,
        deprecated=sheet.deprecated,
        examples=sheet.examples,
        where=sheet.where,
    )


def _fields(sheets: tuple[ParameterSheet, ...]) -> tuple[Parameter, ...]:
    return tuple(_parameter(sheet) for sheet in sheets)


def _parameter(sheet: ParameterSheet) -> Parameter:
    return Parameter(
        sheet.name,
        sheet.location,
        sheet.type,
        required=sheet.required,
        secret=sheet.secret,
        description=sheet.description,
        where=sheet.where,
        **sheet.given,
    )

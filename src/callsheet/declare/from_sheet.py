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
        tuple(_parameter(parameter) for parameter in sheet.parameters),
        json=sheet.json,
        returns=sheet.returns,
        summary=sheet.summary,
        description=sheet.description,
        tags=sheet.tags,
        deprecated=sheet.deprecated,
        examples=sheet.examples,
        where=sheet.where,
    )


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

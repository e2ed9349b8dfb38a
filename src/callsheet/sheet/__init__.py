"""Reading the sheet: YAML with positions, `${...}`, environments, validation, provenance."""

from callsheet.sheet.layers import secrets_in
from callsheet.sheet.operation import Operation, Parameter
from callsheet.sheet.origins import Origin
from callsheet.sheet.sheet import ServiceSheet, Sheet

__all__ = ["Operation", "Origin", "Parameter", "ServiceSheet", "Sheet", "secrets_in"]

"""Reading the sheet: YAML with positions, `${...}`, environments, validation, provenance."""

from callsheet.sheet.layers import secrets_in
from callsheet.sheet.operations import OperationSheet
from callsheet.sheet.origins import Origin
from callsheet.sheet.parameters import ParameterSheet
from callsheet.sheet.sheet import ServiceSheet, Sheet

__all__ = ["OperationSheet", "Origin", "ParameterSheet", "ServiceSheet", "Sheet", "secrets_in"]

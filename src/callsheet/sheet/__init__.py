"""Reading the sheet: YAML with positions, `${...}`, environments, validation, provenance."""

from callsheet.sheet.layers import Origin, secrets_in
from callsheet.sheet.operations import OperationSheet
from callsheet.sheet.parameters import ParameterSheet
from callsheet.sheet.sheet import ServiceSheet, Sheet

__all__ = ["OperationSheet", "Origin", "ParameterSheet", "ServiceSheet", "Sheet", "secrets_in"]

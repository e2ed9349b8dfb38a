"""Reading the sheet: YAML with positions, `${...}`, environments, validation, provenance."""

from callsheet.sheet.layers import secrets_in
from callsheet.sheet.provenance import Provenance
from callsheet.sheet.sheet import ServiceSheet, Sheet
from callsheet.sheet.words.operation import Operation, Parameter

__all__ = ["Operation", "Parameter", "Provenance", "ServiceSheet", "Sheet", "secrets_in"]

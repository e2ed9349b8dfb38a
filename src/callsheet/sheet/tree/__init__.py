"""YAML text, or Python data, as a tree of nodes that know their places on the sheet."""

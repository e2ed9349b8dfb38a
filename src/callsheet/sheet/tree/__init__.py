"""YAML text, or Python data, as a tree of nodes that know where each stands on the sheet."""

"""Arguments to bodies, bodies to typed results."""

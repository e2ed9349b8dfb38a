"""The same faults, through real sockets, before several clients: what the upstream and the caller suffer."""

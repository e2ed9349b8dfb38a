"""Bodies and files through a client, as a caller meets them, on real sockets, in both colours."""

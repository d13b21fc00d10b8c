"""Named memory for other processes: the server beside it, the memory that mirrors it, and what passes between them."""

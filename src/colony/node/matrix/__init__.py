"""The task matrix of a repository, put together: its records, its state, its order, its settings, its key."""

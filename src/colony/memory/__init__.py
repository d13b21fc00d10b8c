"""Floor 3: what a node knows, as folds over records: the state of a run, the archive, shared memory."""

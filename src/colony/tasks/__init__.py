"""Floor 6: the task matrix: what there is to do, what comes next and why; a fold over records, carried by git."""

"""Floor 8: the proposers, behind ask and tell; nothing here evaluates."""

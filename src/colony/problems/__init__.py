"""Floor 1: problems, spaces, candidates and how they are judged; ready problems lie in `ready/`."""

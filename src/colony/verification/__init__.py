"""Floor 6: from proposals to judged evaluations in a sandbox, and from claims to verdicts."""

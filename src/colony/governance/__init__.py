"""Floor 5: what a run may spend; policy, approvals and homeostasis find their place here."""

"""Floor 10: the one place that builds adapters: homes, runs, replay and audit, reports."""

"""Floor 12: the commands; each prints for people, and with --json for programs; none decides anything."""

"""The forms of other systems: the third seed's folder, and the lines of Beads."""

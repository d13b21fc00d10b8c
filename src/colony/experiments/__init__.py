"""Floor 11: experiments that ask when shared memory pays, and the comparison that answers."""

"""Git as the carrier: records on refs, read back believing nothing; sync, claims, work, commits, hooks."""

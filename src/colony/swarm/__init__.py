"""The swarm: the spine of one experiment, allocation, diversity, stopping."""

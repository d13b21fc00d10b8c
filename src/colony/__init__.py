"""Colony: a governed swarm that improves anything that can be measured; re-exports its public face on demand."""

"""What evaluators written for ShinkaEvolve import: `core.run_shinka_eval`. Nothing of that system's search is here."""

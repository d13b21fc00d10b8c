"""What evaluators written for OpenEvolve import: `evaluation_result`. Nothing of that system's search is here."""

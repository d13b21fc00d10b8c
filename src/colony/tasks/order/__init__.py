"""What comes next: the graph of tasks, heat, score and terms, scopes, and a simulation that measures orders."""

"""Floor 7: who does a task, and at which intelligence: complexity, tiers, models, budgets, and what outcomes teach."""

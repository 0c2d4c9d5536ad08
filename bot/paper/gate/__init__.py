"""Gate v4 as clients see it, on the paper engine: perpetuals, one classic account."""

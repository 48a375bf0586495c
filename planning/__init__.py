"""Planning: what a run will compute, and what it will cost, before it is begun."""

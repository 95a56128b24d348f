"""The facts: an append-only store of what the chain said and what we know about it."""

"""Event store to read models: projectors, generations, rebuilds."""

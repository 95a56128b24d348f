"""Chain to event store: finds, fetches, decodes and appends, and says how complete it is."""

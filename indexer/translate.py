"""Decoded program events to facts, as far as the fact's fields are in the event."""



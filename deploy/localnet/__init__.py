"""A Solana node of our own with both programs on it, users who trade there, and the whole service beside it."""

"""The shipped weights, each with its card."""

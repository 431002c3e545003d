"""How good is it: golden sets, metrics, runs."""

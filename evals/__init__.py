"""How good is it: golden sets, runs, metrics, comparisons, gates and reports. See README.md here."""

"""How good is it: golden sets, runs, metrics, comparisons, gates, reports. See README.md here."""

"""How good are the words of a verdict: a rubric, a judge that reads by it, and what it is worth."""

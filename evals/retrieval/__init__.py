"""How well the right document is found: a real policy corpus and questions written for it."""

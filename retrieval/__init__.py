"""Find the sections and the precedents that bear on a case."""

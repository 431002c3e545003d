"""Policy wording, tested like code: what a new text changes, whether that is real, what it misses.

texts.py         two wordings, from folders, git or one file     difference.py  section by section
side_by_side.py  both reviewers alive, on shared tool results    touched.py     which cases can move
judging.py       the same cases under both                       flips.py       what moved, and why
figures.py       metrics, tests, how much could be seen          comparison.py  all of it at once
"""

"""The same post a thousand times is one decision: found, verified, copied, undone together.

shape.py     what must be the same in a copy     copying.py   one verdict for all copies
nearby.py    find what may be a copy             requoting.py the verdict in the copy's own words
"""

"""What may be claimed of decisions, and when a claim no longer holds: statistics, no records.

bounds.py   what a count of mistakes proves       claims.py   which claims the data support
lines.py    from which confidence on              watch.py    whether a claim still holds
"""

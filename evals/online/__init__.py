"""How it goes in use, from an export of the docket.

decided.py    the lines of the export     measures.py   agreement, overturns, audits, by day
drift.py      what changed since a day    told.py       for a terminal and as JSON
"""

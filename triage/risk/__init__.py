"""Risk control: close by machine only what was shown to be safe, and stop when it no longer is.

calibrating.py   from a golden run to a certificate     closing.py    what a certificate closes
certificate.py   what it says, and when it is void      auditing.py   whether it still holds
brakes.py        what no threshold overrides            told.py       all of it in words
"""

"""A run as people read it: in a terminal, and as one page that needs nothing else.

terminal.py   for a terminal            page.py    one self-contained HTML page
plots.py      its plots, as SVG         cases.py   its cases, as data for page.js
"""

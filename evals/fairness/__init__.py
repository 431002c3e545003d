"""Who pays for the mistakes: rates and gaps by group, areas that a name moves, swaps.

groups.py   rates and gaps        ranking.py   subgroup, BPSN and BNSP areas
swaps.py    the same words about somebody else; the words stand in terms.toml
"""

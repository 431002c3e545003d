"""The commands, a file for each group: parse, call one function, print.

Heavy imports wait until a command needs them.
"""

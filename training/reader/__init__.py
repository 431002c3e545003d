"""How the reader is made: a rule and a case in, a probability and the words behind it out."""

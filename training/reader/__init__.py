"""How the reader of policy text is made: a section and a case in, a probability and its words out."""

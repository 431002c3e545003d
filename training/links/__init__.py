"""How the trained score of links in `models/links` is made, and how to make your own."""

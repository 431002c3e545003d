"""Public sets of labelled content, read as golden cases by a map that people can read."""

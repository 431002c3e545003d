"""Teach a small transformer the labels of the classifier, each set's answers apart."""

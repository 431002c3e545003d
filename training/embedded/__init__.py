"""Fit the few numbers with which the embedded reviewer model weighs its evidence."""

"""Teach a small transformer to tell orders to a language model from talk about them."""

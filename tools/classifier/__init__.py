"""A fast, calibrated reading of a text: how likely it carries each label, and on which words."""

from tools.classifier.model import Classifier, Encodes, Word, open_classifier

__all__ = ["Classifier", "Encodes", "Word", "open_classifier"]

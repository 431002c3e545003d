"""Train, calibrate and describe the classifier that `tools.classifier` runs."""

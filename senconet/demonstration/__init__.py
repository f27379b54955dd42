"""The demonstration's synthetic data set and its independently written answer key."""

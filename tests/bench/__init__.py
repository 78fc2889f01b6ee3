"""Figures, printed as ratios in one run; never asserted as absolute times."""

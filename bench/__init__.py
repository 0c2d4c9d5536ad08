"""Speed beside peers, all sides in one run; figures, never tests."""

"""The leverage core: estimates on float64 arrays; the exact review has the last word."""

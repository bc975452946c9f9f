"""Models of discrete data by maps of integers and categories."""

"""Fuzz targets in Python, a file each.

Each has MODULES, whose coverage counts; WORDS, the usual parts of inputs; and check(data), which
raises AssertionError if a property does not hold.
"""

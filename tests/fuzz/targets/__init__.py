"""What is fuzzed in Python, a file each.

Each has MODULES, whose coverage counts; WORDS, of which inputs are likely to be made; and
check(data), which raises AssertionError where what must hold does not.
"""

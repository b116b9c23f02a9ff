"""What a program leaves behind: children and unfinished files go with it, however it ends.

Nothing is imported here: `ending` is the first that the program runs.
"""

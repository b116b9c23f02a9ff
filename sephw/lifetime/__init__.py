"""The lifetime of a program: its children and unfinished files go with it, however it ends.

Nothing is imported here: `ending` is the first module that the program runs.
"""

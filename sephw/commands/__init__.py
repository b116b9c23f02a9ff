"""The subcommands of `sephw`, one file each; `sephw.cli` imports the one that is called for.

A command reads its options into one settings object and hands that to the room that does the work.
"""

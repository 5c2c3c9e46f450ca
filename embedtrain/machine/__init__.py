"""The machine: its processors, memory, files and terminal."""
